//! The message templates of an account, page by page.
//! Source: <https://developers.facebook.com/docs/graph-api/reference/whats-app-business-account/message_templates>.

use serde_json::Value;

use super::{Graph, GraphError, ask, path_segment};

const FIELDS: &str = "name,language,status,category,quality_score,parameter_format,components";
/// Templates a page.
const PAGE: &str = "200";
/// An account has 6,000 templates at the most; whoever goes on for ever is not Graph.
const MOST_PAGES: usize = 40;
/// A template has some 2 KB (bytes).
const LARGEST_PAGE: usize = 8 * 1024 * 1024;

impl Graph {
    /// All message templates of an account, as Graph describes them, cleaned of what PostgreSQL cannot hold.
    ///
    /// # Errors
    /// Tells a refusal from an answer that did not come or cannot be read.
    pub async fn list_templates(&self, token: &str, waba_id: &str) -> Result<Vec<Value>, GraphError> {
        let mut templates = Vec::new();
        let mut after: Option<String> = None;
        for _ in 0..MOST_PAGES {
            let mut page = self.template_page(token, waba_id, after.as_deref()).await?;
            let Some(Value::Array(data)) = page.get_mut("data").map(Value::take) else {
                return Err(GraphError::Unanswered);
            };
            templates.extend(data);
            // `next` only says that there is more: the token goes to Graph's own host, not to wherever a link leads.
            if !page["paging"]["next"].is_string() {
                return Ok(templates);
            }
            let cursor = page["paging"]["cursors"]["after"].as_str().map(str::to_owned);
            if cursor.is_none() || cursor == after {
                return Err(GraphError::Unanswered);
            }
            after = cursor;
        }
        Err(GraphError::Unanswered)
    }

    async fn template_page(&self, token: &str, waba_id: &str, after: Option<&str>) -> Result<Value, GraphError> {
        let url = format!("{}/{}/message_templates", self.base, path_segment(waba_id));
        let mut request = self.http.get(url).query(&[("fields", FIELDS), ("limit", PAGE)]);
        if let Some(cursor) = after {
            request = request.query(&[("after", cursor)]);
        }
        ask(request, token, LARGEST_PAGE).await
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;
    use std::sync::{Arc, Mutex};

    use axum::extract::{Query, State};
    use axum::routing::get;
    use axum::{Json, Router};
    use serde_json::json;

    use super::*;

    /// The cursors that were asked for.
    type Asked = Arc<Mutex<Vec<Option<String>>>>;

    /// A Graph whose pages are made from the cursor that is asked for.
    async fn graph(page: fn(Option<&str>) -> Value) -> (Graph, Asked) {
        let asked = Asked::default();
        let answer = move |State(asked): State<Asked>, Query(mut query): Query<HashMap<String, String>>| {
            let after = query.remove("after");
            let answer = page(after.as_deref());
            asked.lock().unwrap().push(after);
            async { Json(answer) }
        };
        let router = Router::new()
            .route("/v26.0/1/message_templates", get(answer))
            .with_state(asked.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await });
        (Graph::new(&url, "v26.0").unwrap(), asked)
    }

    #[tokio::test]
    async fn pages_are_followed_by_their_cursors_and_never_by_their_links() {
        let (graph, asked) = graph(|after| match after {
            None => {
                json!({"data": [{"id": 1}], "paging": {"cursors": {"after": "a&b"}, "next": "http://127.0.0.1:9/steal"}})
            }
            Some(_) => json!({"data": [{"id": 2}], "paging": {"cursors": {"after": "end"}}}),
        })
        .await;
        let listed = graph.list_templates("token", "1").await.unwrap();
        assert_eq!(listed, [json!({"id": 1}), json!({"id": 2})]);
        assert_eq!(*asked.lock().unwrap(), [None, Some("a&b".to_owned())]);
    }

    #[tokio::test]
    async fn a_list_that_does_not_end_is_given_up() {
        let repeating = |_: Option<&str>| json!({"data": [], "paging": {"cursors": {"after": "same"}, "next": "x"}});
        let (graph_a, asked) = graph(repeating).await;
        let result = graph_a.list_templates("token", "1").await;
        assert!(matches!(result, Err(GraphError::Unanswered)));
        assert_eq!(asked.lock().unwrap().len(), 2);

        let endless = |after: Option<&str>| {
            let next = format!("{}x", after.unwrap_or_default());
            json!({"data": [{}], "paging": {"cursors": {"after": next}, "next": "x"}})
        };
        let (graph_b, asked) = graph(endless).await;
        assert!(graph_b.list_templates("token", "1").await.is_err());
        assert_eq!(asked.lock().unwrap().len(), MOST_PAGES);
    }

    #[tokio::test]
    async fn an_answer_of_another_form_or_size_is_none() {
        let (strange, _) = graph(|_| json!({"data": {}})).await;
        assert!(strange.list_templates("token", "1").await.is_err());
        let (huge, _) = graph(|_| json!({"data": ["x".repeat(LARGEST_PAGE)]})).await;
        assert!(huge.list_templates("token", "1").await.is_err());
        let (missing, _) = graph(|_| Value::Null).await;
        let refused = missing.list_templates("token", "2").await;
        assert!(matches!(refused, Err(GraphError::Refused { status: 404, .. })));
    }
}
