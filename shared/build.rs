//! The migrations are embedded, so a change among them is a change of this crate.

fn main() {
    println!("cargo:rerun-if-changed=../migrations");
}
