//! Standard Webhooks 1.0 signatures: HMAC-SHA-256 over `id.timestamp.body`.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ring::hmac;

/// Signs with every secret that is given, so that a receiver can change to a new one at its own time.
#[derive(Clone, Debug)]
pub struct Signer(Vec<hmac::Key>);

impl Signer {
    /// From secrets separated by blanks: `whsec_` and base64, or any other text, whose bytes are the key.
    pub fn new(secrets: &str) -> Result<Self, String> {
        let keys: Result<Vec<_>, _> = secrets.split_whitespace().map(key).collect();
        keys.map(Self)
    }

    /// The header `webhook-signature`: `v1,BASE64`, one for each secret.
    #[must_use]
    pub fn sign(&self, id: &str, timestamp: i64, body: &str) -> String {
        let text = format!("{id}.{timestamp}.{body}");
        let sign = |key| format!("v1,{}", STANDARD.encode(hmac::sign(key, text.as_bytes())));
        let signatures: Vec<String> = self.0.iter().map(sign).collect();
        signatures.join(" ")
    }
}

fn key(secret: &str) -> Result<hmac::Key, String> {
    let bytes = match secret.strip_prefix("whsec_") {
        Some(encoded) => STANDARD
            .decode(encoded)
            .map_err(|_| "the secret begins with `whsec_` but no base64 follows".to_owned())?,
        None => secret.as_bytes().to_vec(),
    };
    Ok(hmac::Key::new(hmac::HMAC_SHA256, &bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the specification's own libraries.
    #[test]
    fn signatures_are_those_of_the_reference_libraries() {
        let signer = Signer::new("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let signature = signer.sign("msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, r#"{"test": 2432232314}"#);
        assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn a_new_secret_signs_beside_the_old_one() {
        let both = Signer::new("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw another-long-secret").unwrap();
        assert_eq!(both.sign("a", 1, "{}").split(' ').count(), 2);
        assert!(Signer::new("whsec_!").is_err());
    }
}
