//! TLS with verification, by certificates made here. `PgBouncer` ends the TLS; the client does not know it from PostgreSQL.

use rcgen::{BasicConstraints, CertificateParams, DistinguishedName, DnType, IsCa, Issuer, KeyPair, date_time_ymd};
use shared::db::Database;
use shared::db::settings::Settings;
use shared::testing::TestDatabase;

use super::pgbouncer::{Certificate, PgBouncer};

struct Authority {
    pem: String,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    fn new(name: &str) -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::default();
        params.distinguished_name = DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self {
            pem: params.self_signed(&key).unwrap().pem(),
            issuer: Issuer::new(params, key),
        }
    }

    fn certificate(&self, names: &[&str], expired: bool) -> Certificate {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let mut params = CertificateParams::new(names).unwrap();
        if expired {
            params.not_after = date_time_ymd(2020, 1, 1);
        }
        let key = KeyPair::generate().unwrap();
        Certificate {
            pem: params.signed_by(&key, &self.issuer).unwrap().pem(),
            key_pem: key.serialize_pem(),
        }
    }
}

/// Whether a statement goes through; the refusal else.
async fn connect(url: &str, ca: Option<&str>) -> Result<(), String> {
    let settings = Settings::new(url, ca).unwrap();
    let refusal = settings.connect().await.err();
    let worked = Database::new(settings, 1)
        .run(async |client| Ok(client.query_typed("select 1", &[]).await?.len()))
        .await;
    assert_eq!(worked.is_ok(), refusal.is_none(), "{worked:?}");
    let Some(refusal) = refusal else { return Ok(()) };
    let (shown, error) = (format!("{refusal} {refusal:?}"), worked.unwrap_err());
    assert!(error.is_transient(), "{error}");
    assert!(!format!("{shown} {error}").contains("hunter2"), "{shown}");
    Err(shown)
}

#[tokio::test]
async fn a_server_is_verified_by_the_given_authority_and_its_name() {
    let test = TestDatabase::empty().await;
    let (ours, other) = (Authority::new("Ours"), Authority::new("Other"));
    let server = PgBouncer::with_tls(&test, &ours.certificate(&["localhost", "127.0.0.1"], false)).await;
    let several = format!("{}{}", other.pem, ours.pem);
    let on_one_line = ours.pem.replace('\n', "\\n");
    for host in ["localhost", "127.0.0.1"] {
        for mode in ["require", "verify-ca", "verify-full", "prefer"] {
            let url = server.url(&test, host, &format!("sslmode={mode}"));
            for ca in [&ours.pem, &several, &on_one_line] {
                connect(&url, Some(ca)).await.unwrap();
            }
            for ca in [Some(other.pem.as_str()), Some("system"), None] {
                let refusal = connect(&url, ca).await.unwrap_err();
                assert!(refusal.contains("certificate"), "{refusal}");
            }
        }
        // Without TLS this server takes nobody, so that everything above went through TLS.
        connect(&server.url(&test, host, "sslmode=disable"), Some(&ours.pem))
            .await
            .unwrap_err();
    }
}

#[tokio::test]
async fn a_certificate_of_another_name_is_refused() {
    let test = TestDatabase::empty().await;
    let ours = Authority::new("Ours");
    let server = PgBouncer::with_tls(&test, &ours.certificate(&["db.example.com", "127.0.0.2"], false)).await;
    for host in ["localhost", "127.0.0.1"] {
        for mode in ["require", "verify-ca", "verify-full"] {
            let url = server.url(&test, host, &format!("sslmode={mode}"));
            let refusal = connect(&url, Some(&ours.pem)).await.unwrap_err();
            assert!(refusal.contains("certificate"), "{refusal}");
        }
    }
}

#[tokio::test]
async fn a_certificate_that_has_expired_is_refused() {
    let test = TestDatabase::empty().await;
    let ours = Authority::new("Ours");
    let server = PgBouncer::with_tls(&test, &ours.certificate(&["localhost"], true)).await;
    let url = server.url(&test, "localhost", "sslmode=require");
    let refusal = connect(&url, Some(&ours.pem)).await.unwrap_err();
    assert!(refusal.contains("certificate"), "{refusal}");
}

#[tokio::test]
async fn a_server_without_tls_is_refused_where_tls_is_asked_for() {
    let test = TestDatabase::empty().await;
    let server = PgBouncer::before(&test).await;
    connect(&server.url(&test, "localhost", ""), None).await.unwrap();
    for mode in ["require", "prefer", "allow", "verify-ca", "verify-full"] {
        let url = server.url(&test, "localhost", &format!("sslmode={mode}"));
        connect(&url, Some(&Authority::new("Ours").pem)).await.unwrap_err();
    }
}

#[test]
fn an_authority_that_cannot_be_read_is_named_and_never_shown() {
    let pem = Authority::new("Ours").pem;
    let cut = &pem[..pem.len() / 2];
    let damaged = pem.replacen("MII", "!!!", 1);
    for ca in ["hunter2", "/etc/ssl/ca.pem", cut, &damaged, &format!("{pem}{damaged}")] {
        let error = Settings::new("postgres://u:p@h/d", Some(ca))
            .err()
            .expect("it is refused")
            .to_string();
        assert!(error.starts_with("DATABASE_CA: "), "{error}");
        assert!(!error.contains("hunter2") && !error.contains("MII"), "{error}");
    }
}
