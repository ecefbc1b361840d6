//! A new user (specification, client-server API, "Account registration").

use std::io::{self, Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use haos_cli::parts::{Error, Result, clean};
use serde_json::{Value, json};

use super::address::Address;
use super::halt::{Halt, patiently};

const PATH: &str = "/_matrix/client/v3/register";
/// A proof of nothing, which is all that the demo has.
const DUMMY: &str = "m.login.dummy";
/// The longest answer that is read.
const LONGEST: u64 = 1 << 20;
const TIMEOUT: Duration = Duration::from_secs(30);

/// The server's answer.
struct Said {
    status: u16,
    body: Value,
}

/// Makes a user who can log in with a password.
pub(super) async fn register(url: &str, user: &str, password: &str) -> Result<()> {
    let Some(address) = Address::of(url) else {
        return Err(Error::Input(format!(
            "{url}: --register is for servers without TLS (http://): give --user NAME --password-file FILE"
        )));
    };
    let mut body = json!({ "username": user, "password": password, "inhibit_login": true });
    let first = patiently(url, 1, async || ask(&address, &body).await).await?;
    if first.status == 200 {
        return Ok(());
    }
    body["auth"] = proof(url, &first)?;
    let second = patiently(url, 1, async || ask(&address, &body).await).await?;
    if second.status == 200 { Ok(()) } else { Err(closed(url, &second)) }
}

/// The proof that the server wants to see, if the demo has it.
fn proof(url: &str, said: &Said) -> Result<Value> {
    let Value::Array(flows) = &said.body["flows"] else { return Err(closed(url, said)) };
    let is_open = |flow: &Value| flow["stages"] == json!([DUMMY]);
    if said.status != 401 {
        return Err(closed(url, said));
    }
    if !flows.iter().any(is_open) {
        let stages = flows.iter().filter_map(|flow| flow["stages"].as_array()).flatten();
        let mut stages: Vec<&str> =
            stages.filter_map(Value::as_str).filter(|stage| *stage != DUMMY).collect();
        stages.sort_unstable();
        stages.dedup();
        return Err(Error::Input(format!(
            "{url} wants {} of a new user, which the demo does not have: give --user NAME --password-file FILE",
            clean(&stages.join(", "))
        )));
    }
    let mut proof = json!({ "type": DUMMY });
    if let Some(session) = said.body["session"].as_str() {
        proof["session"] = json!(session);
    }
    Ok(proof)
}

fn closed(url: &str, said: &Said) -> Error {
    let code = said.body["errcode"].as_str().map_or(String::new(), |code| format!(" {code}"));
    Error::Input(format!(
        "{url} lets nobody register ({}{}): give --user NAME --password-file FILE",
        said.status,
        clean(&code)
    ))
}

async fn ask(address: &Address, body: &Value) -> Result<Said, Halt> {
    let (address, body) = (address.clone(), body.to_string());
    let asked = tokio::task::spawn_blocking(move || post(&address, &body)).await;
    let said = match asked {
        Ok(Ok(said)) => said,
        Ok(Err(e)) => return Err(Halt::Unreached(e.to_string())),
        Err(e) => return Err(Halt::Over(Error::Failed(format!("the registration ended: {e}")))),
    };
    match said.status {
        429 => Err(Halt::Pause(said.body["retry_after_ms"].as_u64().unwrap_or_default())),
        500.. => Err(Halt::Unreached(said.status.to_string())),
        _ => Ok(said),
    }
}

/// One request of HTTP/1.0, whose answer ends with the connection.
fn post(address: &Address, body: &str) -> io::Result<Said> {
    let mut stream = TcpStream::connect((&*address.host, address.port))?;
    stream.set_read_timeout(Some(TIMEOUT))?;
    stream.set_write_timeout(Some(TIMEOUT))?;
    let Address { path, authority, .. } = address;
    write!(
        stream,
        "POST {path}{PATH} HTTP/1.0\r\nHost: {authority}\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )?;
    let mut answer = Vec::new();
    stream.take(LONGEST).read_to_end(&mut answer)?;
    said(&answer).ok_or_else(|| io::Error::other("an answer that is not a homeserver's"))
}

fn said(answer: &[u8]) -> Option<Said> {
    let text = std::str::from_utf8(answer).ok()?;
    let (head, body) = text.split_once("\r\n\r\n")?;
    let status = head.strip_prefix("HTTP/1.")?.split(' ').nth(1)?.parse().ok()?;
    // A proxy's page has no members.
    Some(Said { status, body: serde_json::from_str(body).unwrap_or_default() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(status: u16, body: Value) -> String {
        proof("http://x", &Said { status, body }).map_or_else(|e| e.to_string(), |proof| proof.to_string())
    }

    #[test]
    fn who_may_register_is_told() {
        let open = json!({ "flows": [{ "stages": [DUMMY] }], "session": "s" });
        assert_eq!(told(401, open), r#"{"session":"s","type":"m.login.dummy"}"#);
        let mail = json!({ "flows": [{ "stages": ["m.login.email.identity", DUMMY] }] });
        assert!(told(401, mail).contains("wants m.login.email.identity of a new user"));
        let closed = told(403, json!({ "errcode": "M_FORBIDDEN" }));
        assert!(closed.contains("lets nobody register (403 M_FORBIDDEN)"), "{closed}");
        assert!(told(404, Value::Null).contains("(404)"));
    }

    #[test]
    fn answers_are_read() {
        let read = said(b"HTTP/1.1 401 X\r\nA: b\r\n\r\n{\"session\":\"s\"}").unwrap();
        assert_eq!((read.status, read.body["session"].as_str()), (401, Some("s")));
        assert_eq!(said(b"HTTP/1.0 502 Bad\r\n\r\n<html>").unwrap().body, Value::Null);
        assert!(said(b"SSH-2.0").is_none());
    }
}
