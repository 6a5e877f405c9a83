//! `cargo xtask tokens encrypt` on the running stack.

use crate::stack::{Stack, xtask};

#[tokio::test]
async fn a_token_in_plain_text_is_encrypted_once_and_is_the_same_token() {
    let stack = Stack::open();
    let database = shared::testing::connect(stack.get("database_url")).await;
    let waba = uuid::Uuid::new_v4().to_string();
    let insert = "insert into waba_accounts (waba_id, access_token) values ($1, 'EAAplain')";
    database.execute(insert, &[&waba]).await.unwrap();
    let encrypt = || {
        let output = xtask(&["tokens", "encrypt"]);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    assert!(encrypt().starts_with("1 encrypted now"));
    let select = "select access_token from waba_accounts where waba_id = $1";
    let stored: String = database.query_one(select, &[&waba]).await.unwrap().get(0);
    let ring = shared::tokens::KeyRing::parse(&stack.value("token_keys").to_string()).unwrap();
    assert_eq!(ring.decrypt(&waba, &stored).unwrap(), "EAAplain");
    assert!(encrypt().starts_with("0 encrypted now"));
}
