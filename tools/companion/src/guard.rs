//! Who may ask this server, and for what.
//!
//! A server on loopback is reached by every page that a browser of this machine has open. So: it answers to its own
//! names only (a foreign name may point here: DNS rebinding), a socket is opened for its own pages only, and only
//! for a browser that had the token of this start.

use std::fs::{self, File, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use anyhow::{Context, Result};
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

/// What is allowed.
pub struct Guard {
    hosts: Vec<String>,
    cookie: String,
    token: String,
}

impl Guard {
    /// For a server that listens at a host and port. The token is a new one.
    ///
    /// # Errors
    ///
    /// If there is no randomness to have, see random(4).
    pub fn new(host: &str, port: u16) -> Result<Self> {
        let host = if host.contains(':') {
            format!("[{host}]")
        } else {
            host.to_owned()
        };
        let own = ["localhost", "127.0.0.1", "[::1]", &host];
        let mut hosts: Vec<_> = own.iter().map(|name| format!("{name}:{port}")).collect();
        if port == 80 {
            // Browsers leave it out.
            hosts.extend(own.iter().map(|name| (*name).to_owned()));
        }
        Ok(Self {
            hosts,
            // Cookies do not know of ports, and each server has a token of its own.
            cookie: format!("hellod-{port}"),
            token: random()?,
        })
    }

    /// The address to open in a browser.
    pub fn address(&self, host: &str, port: u16) -> String {
        let (open, close) = if host.contains(':') {
            ("[", "]")
        } else {
            ("", "")
        };
        format!("http://{open}{host}{close}:{port}/?token={}", self.token)
    }

    fn is_own_host(&self, name: &str) -> bool {
        self.hosts.iter().any(|host| host == name)
    }

    fn is_token(&self, word: &str) -> bool {
        // As long for a good beginning as for a bad one.
        word.len() == self.token.len()
            && word
                .bytes()
                .zip(self.token.bytes())
                .fold(0, |all, (one, other)| all | (one ^ other))
                == 0
    }

    /// Whether the browser has shown the token before.
    pub fn knows(&self, headers: &HeaderMap) -> bool {
        let cookies = headers.get_all(header::COOKIE).iter();
        cookies
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split("; "))
            .filter_map(|pair| pair.split_once('='))
            .any(|(name, value)| name == self.cookie && self.is_token(value))
    }

    /// Whether a page of this server asks; who does not say so is none.
    pub fn is_own_page(&self, headers: &HeaderMap) -> bool {
        headers
            .get(header::ORIGIN)
            .and_then(|origin| origin.to_str().ok()?.strip_prefix("http://"))
            .is_some_and(|host| self.is_own_host(host))
    }

    /// Before everything else that the server does.
    pub async fn let_in(&self, request: Request, next: Next) -> Response {
        let host = request.headers().get(header::HOST);
        let host = host.and_then(|host| host.to_str().ok()).unwrap_or_default();
        let mut response = if !self.is_own_host(host) {
            let hosts = self.hosts.join(", ");
            refuse(format!(
                "This book is served as {hosts}, and not as '{host}'.\n"
            ))
        } else if !matches!(request.method().as_str(), "GET" | "HEAD") {
            (
                StatusCode::METHOD_NOT_ALLOWED,
                "There is nothing to send here.\n",
            )
                .into_response()
        } else if let Some(token) = token_in(request.uri()) {
            self.change_for_cookie(token, request.uri())
        } else {
            next.run(request).await
        };
        for (name, value) in [
            ("x-content-type-options", "nosniff"),
            ("referrer-policy", "no-referrer"),
            ("cross-origin-resource-policy", "same-origin"),
            ("cross-origin-opener-policy", "same-origin"),
        ] {
            response
                .headers_mut()
                .insert(name, HeaderValue::from_static(value));
        }
        // The pages have said theirs, which is wider: mdBook has scripts in them.
        response
            .headers_mut()
            .entry(header::CONTENT_SECURITY_POLICY)
            .or_insert(HeaderValue::from_static(
                "default-src 'self'; frame-ancestors 'none'",
            ));
        response
    }

    /// The address had the token: from now on the browser has it, and no address, history or log.
    fn change_for_cookie(&self, token: &str, uri: &Uri) -> Response {
        if !self.is_token(token) {
            return refuse("This address is that of an earlier start. Open the one that scripts/serve.sh has printed last.\n".to_owned());
        }
        let cookie = format!(
            "{}={}; Path=/; HttpOnly; SameSite=Strict",
            self.cookie, self.token
        );
        (
            StatusCode::SEE_OTHER,
            [
                (header::SET_COOKIE, cookie),
                (header::LOCATION, uri.path().to_owned()),
            ],
        )
            .into_response()
    }
}

fn token_in(uri: &Uri) -> Option<&str> {
    uri.query()?
        .split('&')
        .find_map(|pair| pair.strip_prefix("token="))
}

fn refuse(why: String) -> Response {
    (StatusCode::FORBIDDEN, why).into_response()
}

/// 32 hexadecimal digits that nobody can guess.
pub fn random() -> Result<String> {
    let mut bytes = [0; 16];
    File::open("/dev/urandom")
        .and_then(|mut source| source.read_exact(&mut bytes))
        .context("cannot read /dev/urandom")?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// A file that leads a browser to the address. On a command line, everybody on the machine would see the token.
pub fn write_way_in(file: &Path, address: &str) -> Result<()> {
    // Not into one that somebody else may read.
    let _ = fs::remove_file(file);
    let mut open = OpenOptions::new();
    let open = open.write(true).create_new(true).mode(0o600).open(file);
    open.and_then(|mut file| {
        writeln!(
            file,
            "<!doctype html><meta http-equiv=refresh content='0;url={address}'><a href='{address}'>The book</a>"
        )
    })
    .with_context(|| format!("cannot write {}", file.display()))
}
