//! Message templates against a real PostgreSQL, the emulated Secrets Manager and the simulator of Meta.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on panics")]

use jiff::{SignedDuration, Timestamp};
use send::templates::TemplateUse;
use serde_json::{Value, json};
use shared::db;
use shared::domain::send::Content;
use shared::domain::template::Listed;
use shared::http::auth::Agent;
use shared::http::error::ApiError;
use shared::testing::api::{Api, authenticator};
use shared::testing::outbound::outbound;
use shared::testing::sockets::no_sockets;
use shared::testing::sqs::SqsStub;
use shared::testing::{TestDatabase, create_secret, emulated_aws};
use shared::tokens::KeyRing;
use tokio::net::TcpListener;
use uuid::Uuid;

const WABA: &str = "900300";
const NUMBER: &str = "700300";
const TOKEN: &str = "EAAtesttoken";
const LIST: &str = "/api/live-chat/templates";

struct Fixture {
    database: TestDatabase,
    app: send::App,
    api: Api,
    user: Uuid,
    simulator: String,
    http: reqwest::Client,
}

impl Fixture {
    async fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let simulator = format!("http://{}", listener.local_addr().unwrap());
        let config = simulator::Config {
            webhook_url: "http://127.0.0.1:9/".to_owned(),
            numbers: vec![simulator::Number {
                phone_number_id: NUMBER.to_owned(),
                waba_id: WABA.to_owned(),
                display_phone_number: "+1 555 0300".to_owned(),
                verified_name: "Test".to_owned(),
                access_token: TOKEN.to_owned(),
            }],
            ..simulator::Config::default()
        };
        tokio::spawn(simulator::serve(listener, config));
        Self::with_graph(&simulator).await
    }

    /// Graph is away.
    async fn without_graph() -> Self {
        Self::with_graph("http://127.0.0.1:9").await
    }

    async fn with_graph(graph_url: &str) -> Self {
        let database = TestDatabase::migrated().await;
        let user = database.add_number(WABA, NUMBER).await;
        let aws = emulated_aws().await;
        let ring = format!(r#"{{"active":"k1","k1":"{}"}}"#, "5a".repeat(32));
        let ring_arn = create_secret(&aws, &ring).await;
        let token = KeyRing::parse(&ring).unwrap().encrypt(WABA, TOKEN).unwrap();
        let http = shared::http::App {
            database: database.pool(),
            authenticator: authenticator(),
        };
        let (_, queue) = SqsStub::start().await;
        let outbound = outbound(http.database.clone(), &aws, ring_arn, graph_url, "unused", queue);
        let app = send::App {
            realtime: no_sockets(http.database.clone()),
            http,
            outbound,
        };
        let fixture = Self {
            api: Api::new(send::service(app.clone()), user),
            app,
            database,
            user,
            simulator: graph_url.to_owned(),
            http: reqwest::Client::new(),
        };
        fixture.store_token(&token).await;
        fixture
    }

    async fn store_token(&self, stored: &str) {
        let update = "update waba_accounts set access_token = $1 where waba_id = $2";
        self.database.client.execute(update, &[&stored, &WABA]).await.unwrap();
    }

    async fn list(&self) -> Value {
        self.api.get(&format!("{LIST}?phone_number_id={NUMBER}")).await.ok()
    }

    /// A refusal's status and code.
    async fn refused(&self, status: u16) -> Value {
        let reply = self.api.get(&format!("{LIST}?phone_number_id={NUMBER}")).await;
        reply.refused(status)["code"].clone()
    }

    /// The pages that Graph was asked for.
    async fn pages(&self) -> Vec<String> {
        let url = format!("{}/_simulator/requests", self.simulator);
        let requests: Vec<Value> = self.http.get(url).send().await.unwrap().json().await.unwrap();
        let pages = requests.iter().filter(|request| {
            let path = request["path"].as_str().unwrap();
            path == format!("/v26.0/{WABA}/message_templates")
        });
        pages
            .map(|request| request["query"].as_str().unwrap_or_default().to_owned())
            .collect()
    }

    async fn fault(&self, mut fault: Value) {
        fault["match"] = json!({"operation": "templates"});
        let url = format!("{}/_simulator/faults", self.simulator);
        let answer = self.http.post(url).json(&fault).send().await.unwrap();
        assert!(answer.status().is_success(), "{}", answer.text().await.unwrap());
    }

    async fn put_templates(&self, templates: &[Value]) {
        let url = format!("{}/_simulator/templates", self.simulator);
        let answer = self.http.put(url).json(&templates).send().await.unwrap();
        assert!(answer.status().is_success(), "{}", answer.text().await.unwrap());
    }

    /// Stores a list as if Graph had been asked for it so long ago.
    async fn store_list(&self, age: SignedDuration, templates: &[Value]) -> Timestamp {
        let listed: Vec<Listed> = templates.iter().map(|item| Listed::from_graph(item).unwrap()).collect();
        // PostgreSQL's clock has microseconds.
        let asked_at = Timestamp::from_microsecond((Timestamp::now() - age).as_microsecond()).unwrap();
        let store = async |client: &mut _| db::templates::replace(client, WABA, &listed, asked_at).await;
        self.app.http.database.run(store).await.unwrap();
        asked_at
    }

    /// Makes the list older.
    async fn age_list(&self, interval: &str) {
        let age = format!("update chat_template_lists set refreshed_at = refreshed_at - interval '{interval}'");
        self.database.client.batch_execute(&age).await.unwrap();
    }

    /// A webhook about a template that says something happened so many seconds from now.
    async fn webhook(&mut self, field: &str, seconds: i64, mut value: Value) {
        let now = Timestamp::now();
        value["message_template_id"] = json!(901_000_000_000_002_i64);
        let webhook = json!({"object": "whatsapp_business_account", "entry": [
            {"id": WABA, "time": now.as_second() + seconds, "changes": [{"field": field, "value": value}]}]});
        self.database.ingest(&webhook, now).await;
    }

    /// Looks at a template message as sending does.
    async fn check(&self, name: &str, components: &Value) -> Result<(TemplateUse, Content), ApiError> {
        let mut content = content(name, "en_US", components);
        let agent = Agent { user_id: self.user };
        let used = send::templates::check(&self.app, agent, WABA, &mut content).await?;
        Ok((used, content))
    }
}

fn content(name: &str, language: &str, components: &Value) -> Content {
    Content {
        kind: "template",
        object: json!({"name": name, "language": {"code": language}, "components": components}),
        words: None,
        media_caption: None,
        metadata: None,
        files: Vec::new(),
    }
}

fn texts(kind: &str, values: &[&str]) -> Value {
    let parameters: Vec<Value> = values.iter().map(|it| json!({"type": "text", "text": it})).collect();
    json!({"type": kind, "parameters": parameters})
}

fn order() -> Value {
    json!([texts("header", &["A-1"]), texts("body", &["Ada", "Friday"])])
}

fn plain(id: usize) -> Value {
    json!({"id": id.to_string(), "name": format!("template_{id:04}"), "language": "en_US", "status": "APPROVED", "category": "UTILITY",
           "quality_score": {"score": "UNKNOWN"}, "parameter_format": "POSITIONAL", "components": [{"type": "BODY", "text": "Hello"}]})
}

fn names(reply: &Value) -> Vec<(&str, &str)> {
    let templates = reply["templates"].as_array().unwrap();
    templates
        .iter()
        .map(|it| (it["name"].as_str().unwrap(), it["language"].as_str().unwrap()))
        .collect()
}

#[tokio::test]
async fn approved_templates_are_listed_with_what_they_want() {
    let fixture = Fixture::new().await;
    let before = Timestamp::now();
    let reply = fixture.list().await;
    assert_eq!(
        names(&reply),
        [
            ("hello_world", "en_US"),
            ("order_shipped", "en_US"),
            ("order_update", "en_US"),
            ("order_update", "es"),
            ("season_offer", "en_US")
        ]
    );
    let refreshed_at: Timestamp = reply["refreshed_at"].as_str().unwrap().parse().unwrap();
    assert!(refreshed_at >= before && refreshed_at <= Timestamp::now());
    let shipped = json!({
        "template_id": "901000000000004", "name": "order_shipped", "language": "en_US", "status": "APPROVED", "category": "UTILITY",
        "quality": "UNKNOWN", "parameter_format": "POSITIONAL",
        "header": {"format": "IMAGE", "text": null, "parameters": [], "example": "https://example.com/parcel.jpg"},
        "body": {"text": "Your parcel {{1}} is on its way.", "parameters": [{"name": "1", "example": "A-1001"}]},
        "footer": null,
        "buttons": [{"index": 0, "type": "URL", "text": "Track it", "url": "https://example.com/track/{{1}}", "phone_number": null,
                     "parameter": {"name": "1", "example": "https://example.com/track/A-1001"}}],
        "other_components": []
    });
    assert_eq!(reply["templates"][1], shipped);
    assert_eq!(reply["templates"][4]["parameter_format"], "NAMED");
}

#[tokio::test]
async fn a_fresh_list_is_not_asked_for_again_and_one_of_sixteen_minutes_is() {
    let fixture = Fixture::new().await;
    let first = fixture.list().await;
    assert_eq!(fixture.list().await["templates"], first["templates"]);
    assert_eq!(fixture.pages().await.len(), 1);
    fixture.put_templates(&[plain(1)]).await;
    fixture.age_list("14 minutes").await;
    assert_eq!(names(&fixture.list().await).len(), 5);
    fixture.age_list("2 minutes").await;
    assert_eq!(names(&fixture.list().await), [("template_0001", "en_US")]);
    assert_eq!(fixture.pages().await.len(), 2);
}

#[tokio::test]
async fn a_list_of_many_pages_is_read_to_its_end() {
    let fixture = Fixture::new().await;
    let templates: Vec<Value> = (0..450).map(plain).collect();
    fixture.put_templates(&templates).await;
    let reply = fixture.list().await;
    let listed = names(&reply);
    assert_eq!(listed.len(), 450);
    assert_eq!(listed[449].0, "template_0449");
    let pages = fixture.pages().await;
    assert_eq!(pages.len(), 3);
    assert!(!pages[0].contains("after=") && pages[1..].iter().all(|query| query.contains("after=")));
    assert!(pages.iter().all(|query| !query.contains("access_token")));
}

#[tokio::test]
async fn what_a_webhook_says_of_a_template_makes_the_list_stale() {
    let mut fixture = Fixture::new().await;
    fixture.list().await;
    fixture
        .webhook("message_template_status_update", -120, json!({"event": "PAUSED"}))
        .await;
    fixture.list().await;
    assert_eq!(
        fixture.pages().await.len(),
        1,
        "what is older than the list says nothing new"
    );
    fixture
        .webhook("message_template_status_update", -30, json!({"event": "PAUSED"}))
        .await;
    let reply = fixture.list().await;
    assert_eq!(fixture.pages().await.len(), 2, "Graph's list lags behind its webhooks");
    assert!(
        names(&reply).contains(&("order_update", "en_US")),
        "what Graph said later counts"
    );
    // Of another account, of the same template id.
    let other = "update chat_facts set subject_id = '9003000:901000000000002', occurred_at = now()";
    fixture.database.client.batch_execute(other).await.unwrap();
    fixture.list().await;
    assert_eq!(fixture.pages().await.len(), 2);
    // A template that was never listed.
    let unknown = format!("update chat_facts set subject_id = '{WABA}:1', occurred_at = now()");
    fixture.database.client.batch_execute(&unknown).await.unwrap();
    fixture.list().await;
    assert_eq!(fixture.pages().await.len(), 3);
}

#[tokio::test]
async fn a_status_and_a_category_that_a_webhook_reported_after_the_list_win() {
    let mut fixture = Fixture::new().await;
    fixture
        .webhook("template_category_update", 5, json!({"new_category": "MARKETING"}))
        .await;
    let reply = fixture.list().await;
    assert_eq!(reply["templates"][2]["category"], "MARKETING");
    let (used, _) = fixture.check("order_update", &order()).await.unwrap();
    assert!(used.is_marketing);
    fixture
        .webhook("message_template_status_update", 5, json!({"event": "FLAGGED"}))
        .await;
    assert_eq!(names(&fixture.list().await).len(), 5);
    fixture
        .webhook("message_template_status_update", 6, json!({"event": "DISABLED"}))
        .await;
    assert!(!names(&fixture.list().await).contains(&("order_update", "en_US")));
    let refused = fixture.check("order_update", &order()).await.unwrap_err().to_string();
    assert_eq!(refused, "template.name: the template is not approved; it is DISABLED");
    fixture
        .webhook("message_template_status_update", 7, json!({"event": "REINSTATED"}))
        .await;
    assert!(names(&fixture.list().await).contains(&("order_update", "en_US")));
}

#[tokio::test]
async fn a_number_is_asked_for_and_is_the_agents() {
    let fixture = Fixture::new().await;
    fixture.list().await;
    let stranger = fixture.database.add_number("900301", "700301").await;
    fixture.api.get(LIST).await.refuses_field("phone_number_id");
    fixture
        .api
        .get(&format!("{LIST}?phone_number_id="))
        .await
        .refuses_field("phone_number_id");
    for number in ["700301", "1", "%00", "700300%20"] {
        fixture
            .api
            .get(&format!("{LIST}?phone_number_id={number}"))
            .await
            .refused(404);
    }
    let api = fixture.api.as_agent(stranger);
    api.get(&format!("{LIST}?phone_number_id={NUMBER}")).await.refused(404);
    let api = fixture.api.with_authorization(None);
    api.get(&format!("{LIST}?phone_number_id={NUMBER}")).await.refused(401);
    let mut foreign = content("hello_world", "en_US", &json!([]));
    let agent = Agent { user_id: stranger };
    let refused = send::templates::check(&fixture.app, agent, WABA, &mut foreign).await;
    assert!(matches!(refused, Err(ApiError::NotFound)));
}

#[tokio::test]
async fn without_any_list_a_graph_that_is_away_is_503_and_a_token_that_it_refuses_409() {
    let fixture = Fixture::without_graph().await;
    assert_eq!(fixture.refused(503).await, "unavailable");

    let fixture = Fixture::new().await;
    for (fault, status, code) in [
        (json!({"status": 401, "code": 190}), 409, "reconnect_required"),
        (json!({"status": 403, "code": 200}), 409, "reconnect_required"),
        (json!({"status": 400, "code": 100}), 409, "reconnect_required"),
        (json!({"status": 500, "code": 190}), 503, "unavailable"),
        (json!({"status": 400, "code": 80_007}), 503, "unavailable"),
        (json!({"status": 400, "code": 368}), 503, "unavailable"),
    ] {
        let mut fault = fault;
        fault["kind"] = "http_error".into();
        fault["times"] = 1.into();
        fixture.fault(fault.clone()).await;
        assert_eq!(fixture.refused(status).await, code, "{fault}");
    }
    fixture
        .fault(json!({"kind": "no_answer_before_accept", "times": 1}))
        .await;
    assert_eq!(fixture.refused(503).await, "unavailable");
    for (stored, status) in [
        ("", 409),
        ("EAAplaintexttoken", 409),
        ("enc:v1:k1:AAAA", 409),
        ("secrets/not-there", 409),
    ] {
        fixture.store_token(stored).await;
        fixture.refused(status).await;
    }
    assert_eq!(
        fixture.database.count("select count(*) from chat_template_lists").await,
        0
    );
}

#[tokio::test]
async fn an_old_list_serves_while_graph_or_the_token_is_away() {
    let away = Fixture::without_graph().await;
    let asked_at = away.store_list(SignedDuration::from_hours(30), &[plain(7)]).await;
    let reply = away.list().await;
    assert_eq!(names(&reply), [("template_0007", "en_US")]);
    assert_eq!(reply["refreshed_at"], json!(asked_at));
    let (_, content) = away.check("template_0007", &json!([])).await.unwrap();
    assert_eq!(content.words.as_deref(), Some("Hello"));

    let fixture = Fixture::new().await;
    let asked_at = fixture.store_list(SignedDuration::from_hours(30), &[plain(7)]).await;
    fixture
        .fault(json!({"kind": "http_error", "times": 1, "status": 401, "code": 190}))
        .await;
    assert_eq!(fixture.list().await["refreshed_at"], json!(asked_at));
    assert_eq!(
        names(&fixture.list().await).len(),
        5,
        "it is replaced as soon as that works"
    );
}

#[tokio::test]
async fn of_refreshes_at_once_the_youngest_list_stands_whole() {
    let fixture = Fixture::new().await;
    let (a, b, c, d) = tokio::join!(fixture.list(), fixture.list(), fixture.list(), fixture.list());
    for reply in [b, c, d] {
        assert_eq!(reply["templates"], a["templates"]);
    }
    let young = fixture
        .store_list(SignedDuration::ZERO, &[plain(1), plain(1), plain(2)])
        .await;
    fixture.store_list(SignedDuration::from_secs(5), &[plain(3)]).await;
    let reply = fixture.list().await;
    assert_eq!(names(&reply), [("template_0001", "en_US"), ("template_0002", "en_US")]);
    assert_eq!(reply["refreshed_at"], json!(young));
}

#[tokio::test]
async fn a_template_message_is_looked_at_and_shown_as_the_customer_reads_it() {
    let fixture = Fixture::new().await;
    let (used, content) = fixture.check("order_update", &order()).await.unwrap();
    assert!(!used.is_marketing);
    let words = "Order A-1\n\nHello Ada, your order will arrive on Friday.";
    assert_eq!(content.words.as_deref(), Some(words));
    let metadata = content.metadata.unwrap();
    assert_eq!(metadata["template"]["components"], order());
    let rendered = &metadata["template"]["rendered"];
    assert_eq!(rendered["footer"], "Thank you for your order");
    assert_eq!(rendered["buttons"][1]["text"], "Call me");
    let named = json!([{"type": "body", "parameters": [
        {"type": "text", "parameter_name": "discount", "text": "20%"}, {"type": "text", "parameter_name": "first_name", "text": "Ada"}]}]);
    let (used, content) = fixture.check("season_offer", &named).await.unwrap();
    assert!(used.is_marketing);
    assert_eq!(content.words.as_deref(), Some("Ada, everything is 20% off this week."));
    assert_eq!(fixture.pages().await.len(), 1);
}

#[tokio::test]
async fn a_template_message_that_whatsapp_would_refuse_is_refused_by_field() {
    let fixture = Fixture::new().await;
    for (name, components, expected) in [
        (
            "no_such",
            json!([]),
            "template.name: the account has no such template in this language",
        ),
        (
            "come_back",
            json!([]),
            "template.name: the template is not approved; it is PAUSED",
        ),
        (
            "new_opening_hours",
            json!([]),
            "template.name: the template is not approved; it is PENDING",
        ),
        (
            "order_update",
            json!([texts("header", &["A-1"])]),
            "template.components: must have a body with 2 parameters: 1, 2",
        ),
        (
            "order_update",
            json!([order()[0], texts("body", &["Ada"])]),
            "template.components[1].parameters: must have 2 parameters: 1, 2",
        ),
        (
            "hello_world",
            json!([texts("body", &["x"])]),
            "template.components[0].parameters: must have no parameters",
        ),
    ] {
        let refused = fixture.check(name, &components).await.unwrap_err();
        assert_eq!(refused.to_string(), expected);
        assert_eq!(refused.status().as_u16(), 422);
    }
    let mut german = content("hello_world", "de", &json!([]));
    let agent = Agent { user_id: fixture.user };
    let refused = send::templates::check(&fixture.app, agent, WABA, &mut german)
        .await
        .unwrap_err();
    assert!(refused.to_string().starts_with("template.name"), "{refused}");
}

#[tokio::test]
async fn where_no_list_is_to_be_had_graph_alone_looks_at_a_template_message() {
    let fixture = Fixture::without_graph().await;
    let (used, checked) = fixture.check("order_update", &order()).await.unwrap();
    assert!(!used.is_marketing);
    assert_eq!(checked, content("order_update", "en_US", &order()));
}
