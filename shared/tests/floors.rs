//! The floors of this crate: an arrow only goes down.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on panics")]

use std::path::{Path, PathBuf};

/// From the top; docs/ARCHITECTURE.md says what is on each.
const FLOORS: [&str; 13] = [
    "start",
    "http",
    "outbound",
    "push",
    "realtime",
    "tokens",
    "db",
    "edge",
    "domain",
    "whatsapp",
    "telemetry",
    "metrics",
    "config",
];

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries
        .flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] })
        .collect()
}

#[test]
fn no_module_reaches_for_a_floor_above_it() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut seen = 0;
    for path in files(&root) {
        let module = path.strip_prefix(&root).unwrap().with_extension("");
        let module = module.iter().next().unwrap().to_str().unwrap();
        let Some(floor) = FLOORS.iter().position(|name| *name == module) else {
            assert!(["lib", "testing"].contains(&module), "{module} stands on no floor");
            continue;
        };
        let text = std::fs::read_to_string(&path).unwrap();
        for reference in text.split("crate::").skip(1) {
            let name = reference.split(|c: char| !c.is_ascii_lowercase()).next().unwrap();
            if let Some(other) = FLOORS.iter().position(|floor| *floor == name) {
                seen += 1;
                assert!(other >= floor, "{} reaches up for {name}", path.display());
            }
        }
    }
    assert!(seen > 50, "only {seen} references were found");
}
