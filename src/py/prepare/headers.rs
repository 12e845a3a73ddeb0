//! The header lines of a request, from its session's headers and its own.

use std::sync::Arc;

use pyo3::exceptions::{PyUnicodeEncodeError, PyValueError};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyBytes, PyDict, PyList, PyString, PyType};

use crate::http::HeaderLines;
use crate::http::headers::{Headers, Part, check};
use crate::http::request::push_line;
use crate::http::text::to_latin1;
use crate::http::url::Style;

/// A session's headers, encoded once for all its requests.
#[derive(Debug, Clone)]
pub struct SessionHeaders {
    fields: Headers,
    encoded: Arc<[u8]>,
    has_host: bool,
    has_cookie: bool,
    /// urllib3 has nothing to add to them, see [`complete`].
    is_complete: bool,
}

impl SessionHeaders {
    pub fn new(fields: Headers) -> Self {
        let mut encoded = Vec::new();
        for (name, value) in &fields {
            push_line(&mut encoded, name, value);
        }
        Self {
            has_host: fields.contains("host"),
            has_cookie: fields.contains("cookie"),
            is_complete: fields.contains("accept-encoding") && fields.contains("user-agent"),
            encoded: encoded.into(),
            fields,
        }
    }

    /// From a mapping of names and values; `None` values are not sent.
    pub fn of_mapping(style: Style, mapping: &Bound<'_, PyAny>) -> PyResult<Self> {
        Ok(Self::new(Headers::new().merge(&fields_of(style, mapping)?)))
    }

    pub fn same_as(&self, other: &Self) -> bool {
        self.encoded == other.encoded
    }

    pub fn contains(&self, name: &str) -> bool {
        self.fields.contains(name)
    }
}

type Field = (Vec<u8>, Option<Vec<u8>>);

/// Name and value pairs of a mapping (or a list of pairs), checked.
fn fields_of(style: Style, mapping: &Bound<'_, PyAny>) -> PyResult<Vec<Field>> {
    let mut fields = Vec::new();
    if let Ok(dict) = mapping.cast_exact::<PyDict>() {
        for (name, value) in dict {
            fields.push(field(style, &name, &value)?);
        }
        return Ok(fields);
    }
    if mapping.get_type().is(case_insensitive(mapping.py())?) {
        // requests' own mapping, past its Python: name and value are what it keeps for each name.
        for (_, pair) in mapping.getattr(intern!(mapping.py(), "_store"))?.cast::<PyDict>()? {
            let (name, value) = pair.extract::<(Bound<'_, PyAny>, Bound<'_, PyAny>)>()?;
            fields.push(field(style, &name, &value)?);
        }
        return Ok(fields);
    }
    let pairs = match mapping.getattr_opt(intern!(mapping.py(), "items"))? {
        Some(items) => items.call0()?,
        None => mapping.clone(),
    };
    for pair in pairs.try_iter()? {
        let (name, value) = pair?.extract::<(Bound<'_, PyAny>, Bound<'_, PyAny>)>()?;
        fields.push(field(style, &name, &value)?);
    }
    Ok(fields)
}

fn case_insensitive(py: Python<'_>) -> PyResult<&Bound<'_, PyType>> {
    static CLASS: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    CLASS.import(py, "requests.structures", "CaseInsensitiveDict")
}

fn field(style: Style, name: &Bound<'_, PyAny>, value: &Bound<'_, PyAny>) -> PyResult<Field> {
    if style == Style::Gevent {
        return gevent_field(name, value);
    }
    let bytes_of_name = text_or_bytes(name)?.ok_or_else(|| invalid_header_part(name, "name", name))?;
    if value.is_none() {
        return Ok((bytes_of_name, None));
    }
    let bytes = text_or_bytes(value)?.ok_or_else(|| invalid_header_part(name, "value", value))?;
    check(part(name, &bytes_of_name), part(value, &bytes))
        .map_err(|error| invalid_header(name.py(), error.to_string()))?;
    if !bytes_of_name.is_ascii() && name.is_instance_of::<PyString>() {
        name.call_method1(intern!(name.py(), "encode"), ("ascii",))?; // which raises what http.client raises
    }
    Ok((bytes_of_name, Some(bytes)))
}

/// geventhttpclient writes whatever it is given as text, `None` included.
fn gevent_field(name: &Bound<'_, PyAny>, value: &Bound<'_, PyAny>) -> PyResult<Field> {
    let as_bytes = |object: &Bound<'_, PyAny>| match text_or_bytes(object)? {
        Some(bytes) => Ok(bytes),
        None => text_or_bytes(object.str()?.as_any()).map(Option::unwrap_or_default),
    };
    let bytes = match value.cast::<PyList>() {
        // One line says the same as one for each.
        Ok(values) => values.iter().map(|value| as_bytes(&value)).collect::<PyResult<Vec<_>>>()?.join(&b", "[..]),
        Err(_) => as_bytes(value)?,
    };
    let bytes_of_name = as_bytes(name)?;
    if bytes_of_name.is_empty() || !bytes_of_name.iter().all(|byte| is_token(char::from(*byte))) {
        return Err(PyValueError::new_err(format!("invalid header field name {}", name.repr()?)));
    }
    if bytes.iter().any(|byte| matches!(byte, b'\r' | b'\n')) {
        let (name, value) = (name.repr()?, value.repr()?);
        return Err(PyValueError::new_err(format!("invalid value for header field {name}: {value}")));
    }
    Ok((bytes_of_name, Some(bytes)))
}

fn part<'a>(given: &'a Bound<'_, PyAny>, bytes: &'a [u8]) -> Part<'a> {
    match given.cast::<PyString>().ok().and_then(|text| text.to_str().ok()) {
        Some(text) => Part::Text(text),
        None => Part::Bytes(bytes),
    }
}

fn invalid_header_part(name: &Bound<'_, PyAny>, what: &str, value: &Bound<'_, PyAny>) -> PyErr {
    let shown = |object: &Bound<'_, PyAny>| object.repr().map_or_else(|_| "?".to_owned(), |text| text.to_string());
    let class = value.get_type().repr().map_or_else(|_| "?".to_owned(), |text| text.to_string());
    let text = format!(
        "Header part ({}) from ({}, {}) must be of type str or bytes, not {class}",
        shown(value),
        shown(name),
        if what == "name" { "...".to_owned() } else { shown(value) },
    );
    invalid_header(name.py(), text)
}

fn invalid_header(py: Python<'_>, text: String) -> PyErr {
    static CLASS: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let class = CLASS
        .get_or_try_init(py, || Ok::<_, PyErr>(py.import("requests.exceptions")?.getattr("InvalidHeader")?.unbind()));
    match class.and_then(|class| class.bind(py).call1((text,))) {
        Ok(error) => PyErr::from_value(error),
        Err(error) => error,
    }
}

/// Text as http.client writes it (ISO-8859-1), bytes as they are; `None` for anything else.
pub(super) fn text_or_bytes(object: &Bound<'_, PyAny>) -> PyResult<Option<Vec<u8>>> {
    if let Ok(text) = object.cast::<PyString>() {
        let text = text.to_str()?;
        if text.is_ascii() {
            return Ok(Some(text.as_bytes().to_vec()));
        }
        return latin1(object, text).map(Some);
    }
    Ok(object.cast::<PyBytes>().ok().map(|bytes| bytes.as_bytes().to_vec()))
}

pub(super) fn latin1(object: &Bound<'_, PyAny>, text: &str) -> PyResult<Vec<u8>> {
    to_latin1(text).map_err(|_| match object.call_method1(intern!(object.py(), "encode"), ("latin-1",)) {
        Err(error) => error,
        Ok(_) => PyUnicodeEncodeError::new_err("the text is not ISO-8859-1"),
    })
}

/// The last letter first: names of one length often begin alike.
fn is_same_name(one: &[u8], other: &[u8]) -> bool {
    let last = |name: &[u8]| name.last().map(u8::to_ascii_lowercase);
    one.len() == other.len() && last(one) == last(other) && one.eq_ignore_ascii_case(other)
}

/// Session and request headers together.
pub fn merge(style: Style, session: &SessionHeaders, given: Option<&Bound<'_, PyAny>>) -> PyResult<HeaderLines> {
    let mut lines = HeaderLines {
        shared: Arc::clone(&session.encoded),
        own: Vec::new(),
        trailing: Vec::new(),
        has_host: session.has_host,
        has_cookie: session.has_cookie,
    };
    let Some(given) = given else { return Ok(lines) };
    let fields = fields_of(style, given)?;
    let repeats = fields.iter().enumerate().any(|(n, (name, value))| {
        value.is_none()
            || session.fields.iter().any(|(own, _)| is_same_name(own, name))
            || fields[..n].iter().any(|(other, _)| is_same_name(other, name))
    });
    if repeats {
        let merged = SessionHeaders::new(session.fields.merge(&fields));
        lines.shared = merged.encoded;
        lines.has_host = merged.has_host;
        lines.has_cookie = merged.has_cookie;
        return Ok(lines);
    }
    for (name, value) in &fields {
        lines.has_host |= name.eq_ignore_ascii_case(b"host");
        lines.has_cookie |= name.eq_ignore_ascii_case(b"cookie");
        push_line(&mut lines.own, name, value.as_deref().unwrap_or_default());
    }
    Ok(lines)
}

/// urllib3, below requests, sends these two of its own accord where the session was told not to.
pub fn complete(py: Python<'_>, session: &SessionHeaders, lines: &mut HeaderLines) -> PyResult<()> {
    static USER_AGENT: PyOnceLock<String> = PyOnceLock::new();
    // The session's own, which nearly always name both: then no request's lines are looked through.
    if session.is_complete && Arc::ptr_eq(&session.encoded, &lines.shared) {
        return Ok(());
    }
    if !has_header(lines, "accept-encoding") {
        push_line(&mut lines.own, b"Accept-Encoding", b"identity");
    }
    if !has_header(lines, "user-agent") {
        let agent = USER_AGENT.get_or_try_init(py, || {
            Ok::<_, PyErr>(format!("python-urllib3/{}", py.import("urllib3")?.getattr("__version__")?))
        })?;
        push_line(&mut lines.own, b"User-Agent", agent.as_bytes());
    }
    Ok(())
}

pub fn has_header(lines: &HeaderLines, wanted: &str) -> bool {
    lines.pairs().any(|(name, _)| name.eq_ignore_ascii_case(wanted.as_bytes()))
}

/// Of RFC 9110's tokens.
pub(super) fn is_token(c: char) -> bool {
    c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c)
}
