use reqwest::Client;

#[cfg(not(target_arch = "wasm32"))]
use super::base::ConnectError;

/// The HTTP clients: one that takes every answer as it comes, one that follows redirects, for reads that
/// the specification lets a server redirect, and one for media, which follows them too and decodes nothing:
/// what a server compresses may be a thousand times as large.
#[derive(Clone)]
pub(super) struct Agent {
    pub(super) plain: Client,
    pub(super) following: Client,
    pub(super) media: Client,
}

/// Redirects in a row.
#[cfg(not(target_arch = "wasm32"))]
const MAX_REDIRECTS: usize = 5;

#[cfg(not(target_arch = "wasm32"))]
impl Agent {
    pub(super) fn new(https: bool, options: &super::HttpOptions) -> Result<Self, ConnectError> {
        use reqwest::redirect::Policy;

        let tls = tls(https)?;
        let build = |redirects: Policy, decodes: bool| {
            let mut builder = Client::builder()
                .tls_backend_preconfigured(tls.clone())
                .connect_timeout(std::time::Duration::from_millis(options.connect_ms))
                .redirect(redirects)
                .https_only(https)
                .gzip(decodes)
                .referer(false)
                // Whoever asked decides whether to ask again.
                .retry(reqwest::retry::never());
            if let Some(agent) = &options.user_agent {
                builder = builder.user_agent(agent);
            }
            let fault = |e: reqwest::Error| ConnectError::Tls { reason: e.without_url().to_string() };
            builder.build().map_err(fault)
        };
        Ok(Self {
            plain: build(Policy::none(), true)?,
            following: build(Policy::limited(MAX_REDIRECTS), true)?,
            media: build(Policy::limited(MAX_REDIRECTS), false)?,
        })
    }
}

/// TLS over ring and what the platform trusts. No provider is installed for the process: that is the
/// application's to choose.
#[cfg(not(target_arch = "wasm32"))]
fn tls(is_needed: bool) -> Result<rustls::ClientConfig, ConnectError> {
    use std::sync::Arc;

    use rustls::{ClientConfig, RootCertStore, crypto::ring};
    use rustls_platform_verifier::BuilderVerifierExt as _;

    let fault = |e: rustls::Error| ConnectError::Tls { reason: e.to_string() };
    let builder = || {
        ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(fault)
    };
    match builder()?.with_platform_verifier() {
        Ok(config) => Ok(config.with_no_client_auth()),
        // A machine without certificates can still speak to its own loopback.
        Err(_) if !is_needed => {
            Ok(builder()?.with_root_certificates(RootCertStore::empty()).with_no_client_auth())
        }
        Err(e) => Err(fault(e)),
    }
}

#[cfg(target_arch = "wasm32")]
impl Agent {
    /// A browser decides about TLS, connections, redirects and compression by itself.
    pub(super) fn new() -> Self {
        let client = Client::new();
        Self { plain: client.clone(), following: client.clone(), media: client }
    }
}
