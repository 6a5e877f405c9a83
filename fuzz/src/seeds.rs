//! Where the engine begins: the sample events, and good values of each kind.

use jiff::Timestamp;
use shared::domain::change::{Cursor, Numbers, Progress, Snapshot};
use shared::domain::page::{Position, Section, Seek};
use shared::testing::agent_token;
use shared::whatsapp::signature;
use uuid::Uuid;

use crate::targets::{APP_SECRET, template};

/// The seeds of a target.
///
/// # Panics
/// Where there is no such target, or `events/` cannot be read.
#[must_use]
pub fn seeds(target: &str) -> Vec<Vec<u8>> {
    let texts = |texts: Vec<String>| texts.into_iter().map(String::into_bytes).collect();
    match target {
        "payload" => files("webhooks"),
        "signature" => texts(vec![
            signature::sign(APP_SECRET, b"{}") + "\n{}",
            format!("sha256={}\n{{}}", "0".repeat(64)),
            "sha1=00\n".to_owned(),
        ]),
        "cursor" => texts(cursors()),
        "token" => texts(vec![
            agent_token(Uuid::nil()),
            "eyJhbGciOiJub25lIn0.eyJzdWIiOiIxIn0.".to_owned(),
            "eyJhbGciOiJSUzI1NiIsImtpZCI6ImsifQ.e30.AA".to_owned(),
        ]),
        "template" => {
            let components = serde_json::json!([
                {"type": "header", "parameters": [{"type": "text", "parameter_name": "a", "text": "x"}]},
                {"type": "body", "parameters": [{"type": "text", "text": "x"}, {"type": "text", "text": "y"}]},
                {"type": "button", "sub_type": "url", "index": "0", "parameters": [{"type": "text", "text": "z"}]}]);
            let both = format!("{}\n{components}", template());
            files("send").into_iter().chain([both.into_bytes()]).collect()
        }
        "subscription" => texts(vec![
            "https://fcm.googleapis.com/fcm/send/abc\nBCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4\nBTBZMqHH6r4Tts7J_aSIgg"
                .to_owned(),
            "https://updates.push.services.mozilla.com/wpush/v2/g\n\n".to_owned(),
            "https:/user@web.push.apple.com/x\n\n".to_owned(),
            "https://user@169.254.169.254:80/\\x\n\n".to_owned(),
        ]),
        _ => panic!("there is no target {target}"),
    }
}

fn files(folder: &str) -> Vec<Vec<u8>> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../events")
        .join(folder);
    let mut paths: Vec<_> = std::fs::read_dir(folder)
        .expect("the sample events are there")
        .map(|entry| entry.expect("it can be read").path())
        .collect();
    paths.sort();
    paths
        .iter()
        .map(|path| std::fs::read(path).expect("it can be read"))
        .collect()
}

fn cursors() -> Vec<String> {
    let position = |section| Position {
        section,
        micros: 1_782_907_200_000_000,
        id: 17,
    };
    let pages = [Section::Only, Section::Waiting, Section::Answered]
        .into_iter()
        .flat_map(|section| [Seek::Before(position(section)), Seek::After(position(section))]);
    let seen = Snapshot {
        next: 1_000,
        running: vec![990, 995],
    };
    let changes = Cursor {
        generation: Uuid::nil(),
        seconds: Timestamp::UNIX_EPOCH.as_second(),
        progress: Some(Progress {
            until: seen.clone(),
            row: (991, 5),
        }),
        numbers: Some(Numbers { ids: 1, state: 2 }),
        seen,
    };
    let changes = changes.to_text();
    // `b+1.1`: a number as nobody of ours writes it.
    let strange = "YisxLjE".to_owned();
    pages.filter_map(Seek::to_cursor).chain([changes, strange]).collect()
}
