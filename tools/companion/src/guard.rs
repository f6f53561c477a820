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

use crate::pages;

/// The names that the server answers to.
#[derive(Clone)]
pub struct Names {
    hosts: Vec<String>,
    origins: Vec<String>,
    /// Where browsers find it, for those who open it.
    pub address: String,
    port: u16,
}

impl Names {
    /// Of a server that listens at a host and port, and, if a proxy stands before it, is known under `public`.
    pub fn new(host: &str, port: u16, public: Option<&str>) -> Self {
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
        let mut origins: Vec<_> = hosts.iter().map(|host| format!("http://{host}")).collect();
        let mut address = format!("http://{host}:{port}");
        if let Some(public) = public {
            public.trim_end_matches('/').clone_into(&mut address);
            let host = address.split_once("://").map_or("", |(_, host)| host);
            hosts.push(host.to_owned());
            origins.push(address.clone());
        }
        Self {
            hosts,
            origins,
            address,
            port,
        }
    }

    fn knows(&self, host: &str) -> bool {
        self.hosts.iter().any(|name| name == host)
    }

    /// Before everything else that the server does.
    pub async fn let_in(&self, request: Request, next: Next) -> Response {
        let host = request.headers().get(header::HOST);
        let host = host.and_then(|host| host.to_str().ok()).unwrap_or_default();
        let mut response = if !self.knows(host) {
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
}

/// Who is let in below one path: the whole book, a seat of a workshop, its board.
pub struct Guard {
    names: Names,
    /// The path, without a slash at its end; nothing for the whole server.
    pub base: String,
    cookie: String,
    token: String,
}

impl Guard {
    /// With this token.
    pub fn new(names: &Names, base: &str, token: String) -> Self {
        Self {
            // Cookies do not know of ports, and each server, and each seat, has a token of its own.
            cookie: format!("hellod-{}{}", names.port, base.replace('/', "-")),
            names: names.clone(),
            base: base.to_owned(),
            token,
        }
    }

    /// The address to open in a browser.
    pub fn address(&self) -> String {
        format!("{}{}/?token={}", self.names.address, self.base, self.token)
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
            .and_then(|origin| origin.to_str().ok())
            .is_some_and(|origin| self.names.origins.iter().any(|own| own == origin))
    }

    /// Below its path: a token in the address is changed for a cookie.
    pub async fn let_in(&self, request: Request, next: Next) -> Response {
        match token_in(request.uri()) {
            Some(token) => self.change_for_cookie(token, request.uri()),
            None => next.run(request).await,
        }
    }

    /// The address had the token: from now on the browser has it, and no address, history or log.
    fn change_for_cookie(&self, token: &str, uri: &Uri) -> Response {
        if !self.is_token(token) {
            return if self.base.is_empty() {
                refuse("This address is that of an earlier start. Open the one that scripts/serve.sh has printed last.\n".to_owned())
            } else {
                (StatusCode::FORBIDDEN, pages::front(true)).into_response()
            };
        }
        let secure = if self.names.address.starts_with("https:") {
            "; Secure"
        } else {
            ""
        };
        let cookie = format!(
            "{}={}; Path={}/; HttpOnly; SameSite=Strict{secure}",
            self.cookie, self.token, self.base
        );
        (
            StatusCode::SEE_OTHER,
            [
                (header::SET_COOKIE, cookie),
                (header::LOCATION, format!("{}{}", self.base, uri.path())),
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

/// A word that nobody can guess, and that can be typed from a card: ten of 32 letters and digits, without
/// those that look like others.
pub fn word() -> Result<String> {
    const LETTERS: &[u8; 32] = b"23456789abcdefghijkmnpqrstuvwxyz";
    let digits = random()?;
    let pairs = digits.as_bytes().chunks(2).take(10);
    let number = |pair: &[u8]| usize::from_str_radix(std::str::from_utf8(pair).unwrap_or("0"), 16);
    Ok(pairs
        .map(|pair| char::from(LETTERS[number(pair).unwrap_or(0) % 32]))
        .collect())
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
