use haos_queue::{Answer, Refusal, SharedHost};
use serde_json::Value;

use super::base::Base;
use super::path::Path;
use super::request::Request;
use super::{ConnectError, Homeserver, HttpOptions, read_as};
use crate::Reply;

impl Homeserver {
    /// The base url of the homeserver that serves a server name, such as `example.org`, the part behind the
    /// first `:` of a user id (specification, client-server API, "Well-known URIs"). A server that
    /// publishes none is taken to be its own. `http://…` asks without TLS, for development.
    ///
    /// # Errors
    /// `Unreadable` if what is published is no homeserver, what came instead of an answer else.
    pub async fn discover(name: &str, host: SharedHost, options: HttpOptions) -> Reply<String> {
        let asked = if name.contains("://") { name.to_owned() } else { format!("https://{name}") };
        // The port, if the name has one, is the homeserver's; what is published is under the host alone.
        let published = match name.contains("://") {
            true => asked.clone(),
            false => format!("https://{}", without_port(name)),
        };
        let site = Self::connect(&published, host, options).map_err(|e| match e {
            ConnectError::Url { .. } => Answer::Refused(Refusal::new(400, "M_INVALID_PARAM")),
            ConnectError::Tls { .. } => Answer::Unsent,
        })?;
        let request = Request::read("discover", Path::new("/.well-known/matrix/client")).following();
        let response = site.exchange(&request, None).await?;
        if response.status == 404 {
            return Ok(Base::parse(&asked).map_or(asked, |base| base.as_str().to_owned()));
        }
        let known: Value = read_as(&response.success(site.now_ms())?)?;
        let url = known["m.homeserver"]["base_url"].as_str().ok_or(Answer::Unreadable)?;
        let base = Base::parse(url).map_err(|_| Answer::Unreadable)?;
        // No page on the way may have secrets cross a network as they are.
        if site.base.is_private() && !base.is_private() {
            return Err(Answer::Unreadable);
        }
        Ok(base.as_str().to_owned())
    }
}

/// A server name without its port; an IPv6 address keeps its colons.
fn without_port(name: &str) -> &str {
    match name.rsplit_once(':') {
        Some((host, port)) if !host.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()) => {
            // `[::1]` ends with a bracket, `::1` is no server name.
            if host.contains(':') && !host.ends_with(']') { name } else { host }
        }
        _ => name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports() {
        for (name, host) in
            [("h", "h"), ("h:8448", "h"), ("[::1]", "[::1]"), ("[::1]:8448", "[::1]"), ("::1", "::1")]
        {
            assert_eq!(without_port(name), host, "{name}");
        }
    }
}
