//! An issuer of tokens: fresh keys, and a server that publishes them.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use aws_lc_rs::encoding::{AsDer, PublicKeyX509Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair, RSA_PKCS1_SHA256, RSA_PSS_SHA256, RsaEncoding, RsaKeyPair,
};
use aws_lc_rs::{hmac, rsa};
use axum::Router;
use axum::http::StatusCode;
use axum::routing::get;
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use tokio::net::TcpListener;

fn encode(bytes: impl AsRef<[u8]>) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}

/// A token of any header and claims, whatever signs it.
pub(crate) fn assemble(header: &Value, claims: &Value, sign: impl FnOnce(&[u8]) -> Vec<u8>) -> String {
    let text = format!("{}.{}", encode(header.to_string()), encode(claims.to_string()));
    let signature = sign(text.as_bytes());
    format!("{text}.{}", encode(signature))
}

/// A token by HMAC-SHA256.
pub(crate) fn assemble_hs256(header: &Value, claims: &Value, secret: &[u8]) -> String {
    assemble(header, claims, |text| {
        hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), text)
            .as_ref()
            .to_vec()
    })
}

pub(crate) enum Pair {
    P256(EcdsaKeyPair),
    Rsa(RsaKeyPair),
}

/// A key of the issuer.
pub(crate) struct SigningKey {
    pub(crate) id: String,
    pair: Pair,
}

impl SigningKey {
    pub(crate) fn es256(id: &str) -> Self {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).expect("a key");
        Self {
            id: id.to_owned(),
            pair: Pair::P256(pair),
        }
    }

    pub(crate) fn rs256(id: &str) -> Self {
        let pair = rsa::KeyPair::generate(KeySize::Rsa2048).expect("a key");
        Self {
            id: id.to_owned(),
            pair: Pair::Rsa(pair),
        }
    }

    pub(crate) fn algorithm(&self) -> &'static str {
        match self.pair {
            Pair::P256(_) => "ES256",
            Pair::Rsa(_) => "RS256",
        }
    }

    /// The public key as Supabase publishes it.
    pub(crate) fn jwk(&self) -> Value {
        let mut jwk = match &self.pair {
            Pair::P256(pair) => {
                // An uncompressed point: 04, x, y.
                let point = pair.public_key().as_ref();
                json!({"kty": "EC", "crv": "P-256", "x": encode(&point[1..33]), "y": encode(&point[33..])})
            }
            Pair::Rsa(pair) => {
                // PKCS #1: a sequence of n (which follows nine bytes of headers and sign) and e = 65537.
                let der = pair.public_key().as_ref();
                json!({"kty": "RSA", "n": encode(&der[9..265]), "e": "AQAB"})
            }
        };
        jwk["kid"] = self.id.clone().into();
        jwk["alg"] = self.algorithm().into();
        jwk["use"] = "sig".into();
        jwk["key_ops"] = json!(["verify"]);
        jwk["ext"] = true.into();
        jwk
    }

    /// The forms in which a careless verifier might take the public key for a secret.
    pub(crate) fn public_forms(&self) -> Vec<Vec<u8>> {
        let Pair::Rsa(pair) = &self.pair else {
            panic!("the confusion is about RSA keys");
        };
        let pkcs1 = pair.public_key().as_ref().to_vec();
        let spki: PublicKeyX509Der<'_> = pair.public_key().as_der().expect("a public key");
        let spki = spki.as_ref().to_vec();
        let jwk = self.jwk();
        let mut forms: Vec<Vec<u8>> = [("RSA PUBLIC KEY", &pkcs1), ("PUBLIC KEY", &spki)]
            .into_iter()
            .flat_map(|(label, der)| {
                let pem = pem(label, der);
                [pem.trim_end().as_bytes().to_vec(), pem.into_bytes()]
            })
            .collect();
        forms.extend([pkcs1[9..265].to_vec(), pkcs1, spki]);
        forms.extend([
            jwk["n"].as_str().unwrap().into(),
            jwk.to_string().into_bytes(),
            Vec::new(),
        ]);
        forms
    }

    pub(crate) fn token(&self, claims: &Value) -> String {
        self.sign(&json!({"alg": self.algorithm(), "kid": self.id, "typ": "JWT"}), claims)
    }

    /// Signs with this key's own algorithm whatever the header says.
    pub(crate) fn sign(&self, header: &Value, claims: &Value) -> String {
        assemble(header, claims, |text| match &self.pair {
            Pair::P256(pair) => pair
                .sign(&SystemRandom::new(), text)
                .expect("a signature")
                .as_ref()
                .to_vec(),
            Pair::Rsa(pair) => rsa_signature(pair, &RSA_PKCS1_SHA256, text),
        })
    }

    /// Signs with RSA-PSS, which is another algorithm on the same key.
    pub(crate) fn sign_ps256(&self, claims: &Value) -> String {
        let Pair::Rsa(pair) = &self.pair else {
            panic!("PS256 is of RSA keys");
        };
        let header = json!({"alg": "PS256", "kid": self.id});
        assemble(&header, claims, |text| rsa_signature(pair, &RSA_PSS_SHA256, text))
    }
}

fn rsa_signature(pair: &RsaKeyPair, encoding: &'static dyn RsaEncoding, text: &[u8]) -> Vec<u8> {
    let mut signature = vec![0; pair.public_modulus_len()];
    pair.sign(encoding, &SystemRandom::new(), text, &mut signature)
        .expect("a signature");
    signature
}

fn pem(label: &str, der: &[u8]) -> String {
    let text = base64::prelude::BASE64_STANDARD.encode(der);
    let lines: Vec<&str> = text
        .as_bytes()
        .chunks(64)
        .map(|line| std::str::from_utf8(line).expect("ASCII"))
        .collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
}

/// A server that publishes keys.
pub(crate) struct Issuer {
    /// Its own URL; the keys are at `/.well-known/jwks.json` below it.
    pub(crate) url: String,
    answer: Arc<Mutex<(StatusCode, String)>>,
    asked: Arc<AtomicUsize>,
}

impl Issuer {
    pub(crate) async fn publishing(keys: &[&SigningKey]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let issuer = Self {
            url: format!("http://{}", listener.local_addr().unwrap()),
            answer: Arc::new(Mutex::new((StatusCode::OK, String::new()))),
            asked: Arc::default(),
        };
        issuer.publish(keys);
        let (answer, asked) = (issuer.answer.clone(), issuer.asked.clone());
        let handler = get(async move || {
            asked.fetch_add(1, Ordering::SeqCst);
            answer.lock().unwrap().clone()
        });
        let router = Router::new().route("/.well-known/jwks.json", handler);
        tokio::spawn(async move { axum::serve(listener, router).await });
        issuer
    }

    pub(crate) fn jwks_url(&self) -> String {
        format!("{}/.well-known/jwks.json", self.url)
    }

    pub(crate) fn publish(&self, keys: &[&SigningKey]) {
        let keys: Vec<Value> = keys.iter().map(|key| key.jwk()).collect();
        self.answer_with(StatusCode::OK, &json!({ "keys": keys }).to_string());
    }

    pub(crate) fn answer_with(&self, status: StatusCode, body: &str) {
        *self.answer.lock().unwrap() = (status, body.to_owned());
    }

    /// How often the keys were asked for.
    pub(crate) fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}
