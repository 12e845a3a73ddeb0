//! The arguments of a client call, as they were given: looked at once, in the order given.

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};

/// What `get`, `post` and their like accept, for both clients. `None` passed is `None` given.
#[derive(Default)]
pub struct Arguments<'py> {
    pub name: Option<Bound<'py, PyAny>>,
    pub catch_response: Option<Bound<'py, PyAny>>,
    pub context: Option<Bound<'py, PyAny>>,
    pub params: Option<Bound<'py, PyAny>>,
    pub data: Option<Bound<'py, PyAny>>,
    pub json: Option<Bound<'py, PyAny>>,
    pub headers: Option<Bound<'py, PyAny>>,
    pub cookies: Option<Bound<'py, PyAny>>,
    pub files: Option<Bound<'py, PyAny>>,
    pub auth: Option<Bound<'py, PyAny>>,
    pub timeout: Option<Bound<'py, PyAny>>,
    pub allow_redirects: Option<Bound<'py, PyAny>>,
    pub proxies: Option<Bound<'py, PyAny>>,
    pub hooks: Option<Bound<'py, PyAny>>,
    pub stream: Option<Bound<'py, PyAny>>,
    pub verify: Option<Bound<'py, PyAny>>,
    pub cert: Option<Bound<'py, PyAny>>,
    /// Instead of the session's, for the fast client.
    pub max_retries: Option<u32>,
    pub max_redirects: Option<u32>,
    /// A file that is told of request and response, for the fast client.
    pub debug_stream: Option<Bound<'py, PyAny>>,
    /// What neither client knows.
    pub others: Vec<(String, Bound<'py, PyAny>)>,
}

impl<'py> Arguments<'py> {
    pub fn read(given: Option<&Bound<'py, PyDict>>) -> PyResult<Self> {
        let mut arguments = Self::default();
        for (key, value) in given.into_iter().flatten() {
            let key = key.cast::<PyString>()?.to_str()?;
            let Some(place) = arguments.place(key) else {
                arguments.others.push((key.to_owned(), value));
                continue;
            };
            // This one alone has another default than `None`, which follows no redirect.
            if !value.is_none() || key == "allow_redirects" {
                *place = Some(value);
            }
        }
        Ok(arguments)
    }

    fn place(&mut self, key: &str) -> Option<&mut Option<Bound<'py, PyAny>>> {
        Some(match key {
            "name" => &mut self.name,
            "catch_response" => &mut self.catch_response,
            "context" => &mut self.context,
            "params" => &mut self.params,
            "data" => &mut self.data,
            "json" => &mut self.json,
            "headers" => &mut self.headers,
            "cookies" => &mut self.cookies,
            "files" => &mut self.files,
            "auth" => &mut self.auth,
            "timeout" => &mut self.timeout,
            "allow_redirects" => &mut self.allow_redirects,
            "proxies" => &mut self.proxies,
            "hooks" => &mut self.hooks,
            "stream" => &mut self.stream,
            "verify" => &mut self.verify,
            "cert" => &mut self.cert,
            _ => return None,
        })
    }

    /// requests raises for what it does not know.
    pub fn refuse_others(&self) -> PyResult<()> {
        match self.others.first() {
            None => Ok(()),
            Some((key, _)) => {
                Err(PyTypeError::new_err(format!("Session.request() got an unexpected keyword argument '{key}'")))
            }
        }
    }
}
