use super::Plain;
use super::request::Ask;
use crate::{Error, Result};

impl Plain {
    /// Stores a file at the server; its `mxc://` uri.
    ///
    /// # Errors
    /// No answer, or the server refuses.
    pub async fn upload(&self, name: &str, bytes: &[u8]) -> Result<String> {
        let ask = Ask::new("POST", "/_matrix/media/v3", &["upload"])
            .query("filename", name)
            .token(&self.access_token)
            .bytes("application/octet-stream", bytes);
        ask.send(self.address).await?.text("content_uri")
    }

    /// The bytes behind an `mxc://` uri.
    ///
    /// # Errors
    /// The uri is invalid, there is no answer, or the server refuses.
    pub async fn download(&self, uri: &str) -> Result<Vec<u8>> {
        let (server, id) = uri
            .strip_prefix("mxc://")
            .and_then(|rest| rest.split_once('/'))
            .ok_or_else(|| Error::new("download", format!("{uri} is no mxc uri")))?;
        let ask = Ask::new("GET", "/_matrix/client/v1/media/download", &[server, id]);
        Ok(ask.token(&self.access_token).send(self.address).await?.bytes())
    }
}
