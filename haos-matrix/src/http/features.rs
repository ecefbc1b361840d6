use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError};

use serde::Deserialize;

use super::path::Path;
use super::request::Request;
use super::{Homeserver, read_as};
use crate::Reply;

/// How long what a server says of itself is believed.
const LASTS_MS: u64 = 12 * 3600 * 1000;

/// A server's own list of its features (specification, client-server API, "API Versions").
#[derive(Debug, Default, Deserialize)]
pub(super) struct Features {
    versions: Vec<String>,
    #[serde(default)]
    unstable_features: BTreeMap<String, serde_json::Value>,
}

impl Features {
    /// Tells if it speaks `v1.{minor}` or a later one.
    fn speaks(&self, minor: u32) -> bool {
        let spoken = |version: &String| version.strip_prefix("v1.").and_then(|it| it.parse::<u32>().ok());
        self.versions.iter().filter_map(spoken).any(|spoken| spoken >= minor)
    }

    fn has(&self, feature: &str) -> bool {
        self.unstable_features.get(feature) == Some(&serde_json::Value::Bool(true))
    }

    /// Media that only who is logged in can read (MSC3916, since version 1.11).
    pub(super) fn has_authenticated_media(&self) -> bool {
        self.speaks(11) || self.has("org.matrix.msc3916.stable")
    }

    /// Simplified sliding sync (MSC4186).
    pub(super) fn has_sliding_sync(&self) -> bool {
        self.has("org.matrix.simplified_msc3575")
    }
}

impl Homeserver {
    /// The versions of the specification that the server speaks, such as `v1.11`. Asked twice a day.
    ///
    /// # Errors
    /// The server's other answer.
    pub async fn versions(&self) -> Reply<Vec<String>> {
        Ok(self.features().await?.versions.clone())
    }

    /// Some features are for some users only: asked in the session's name where there is one. A server that
    /// is upgraded meanwhile is asked again; one that cannot say so now is what it was.
    pub(super) async fn features(&self) -> Reply<Arc<Features>> {
        let known = self.features.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let now_ms = self.now_ms();
        let old = match known {
            Some((at_ms, features)) if now_ms.abs_diff(at_ms) < LASTS_MS => return Ok(features),
            old => old,
        };
        match self.ask_features().await {
            Ok(features) => {
                let features = Arc::new(features);
                *self.features.lock().unwrap_or_else(PoisonError::into_inner) =
                    Some((now_ms, features.clone()));
                Ok(features)
            }
            Err(answer) => old.map(|(_, features)| features).ok_or(answer),
        }
    }

    async fn ask_features(&self) -> Reply<Features> {
        let request = Request::read("versions", Path::new("/_matrix/client/versions"));
        let response = match &self.held_session {
            Some(_) => self.authed(&request).await?,
            None => self.exchange(&request, None).await?,
        };
        read_as(&response.success(self.now_ms())?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions() {
        let read = |text: &str| serde_json::from_str::<Features>(text).unwrap();
        assert!(!read(r#"{"versions":["r0.6.1","v1.9","v1.10"]}"#).has_authenticated_media());
        assert!(read(r#"{"versions":["v1.9","v1.11"]}"#).has_authenticated_media());
        assert!(read(r#"{"versions":["v1.20","v1.1"]}"#).has_authenticated_media());
        let text = r#"{"versions":[],"unstable_features":{"org.matrix.msc3916.stable":true,"org.matrix.simplified_msc3575":"yes"}}"#;
        assert!(read(text).has_authenticated_media() && !read(text).has_sliding_sync());
    }
}
