//! From the arguments of a client call to a request: the two clients' rules for headers and bodies.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use pyo3::exceptions::{PyNotImplementedError, PyOSError, PyTypeError, PyUnicodeEncodeError, PyValueError};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyBool, PyByteArray, PyBytes, PyDict, PyFloat, PyInt, PyList, PyMapping, PyString, PyTuple};

use super::arguments::Arguments;
use crate::http::body;
use crate::http::headers::{Headers, Part, check};
use crate::http::request::push_line;
use crate::http::session::is_unfit;
use crate::http::text::{repr, repr_bytes, to_latin1};
use crate::http::transport::tls::{Identity, Missing, Pem, Tls, Trust};
use crate::http::transport::{NoProxy, Proxy};
use crate::http::url::Style;
use crate::http::{HeaderLines, Method, Request, Session, Settings};

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

/// The method as it is sent. What is no token would be a request of another kind, or more than one.
pub fn method(style: Style, name: &str) -> PyResult<Method> {
    let method = Method::new(name);
    let Method::Other(name) = &method else { return Ok(method) };
    match (style, name.chars().find(|c| !is_token(*c))) {
        (Style::Requests, Some(other)) => Err(PyValueError::new_err(format!(
            "Method cannot contain non-token characters {} (found at least {})",
            repr(name),
            repr(other.encode_utf8(&mut [0; 4])),
        ))),
        (Style::Gevent, other) if other.is_some() || name.is_empty() => {
            Err(PyValueError::new_err(format!("invalid HTTP method {}", repr(name))))
        }
        _ => Ok(method),
    }
}

/// Of RFC 9110's tokens.
fn is_token(c: char) -> bool {
    c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c)
}

/// Refuse cookies that cannot be sent, in the words of who writes the header for the client.
pub fn check_cookies(py: Python<'_>, session: &Session, request: &Request) -> PyResult<()> {
    let own = request.cookies.iter().any(|(name, value)| is_unfit(name) || is_unfit(value));
    if !own && !session.has_unfit_cookies() {
        return Ok(());
    }
    let Some(header) = session.cookie_header(request).filter(|header| is_unfit(header)) else { return Ok(()) };
    if request.url.style() == Style::Gevent {
        let text = format!("invalid value for header field 'Cookie': {}", repr(&header));
        return Err(PyValueError::new_err(text));
    }
    let bytes = latin1(PyString::new(py, &header).as_any(), &header)?;
    Err(PyValueError::new_err(format!("Invalid header value {}", repr_bytes(&bytes))))
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
fn text_or_bytes(object: &Bound<'_, PyAny>) -> PyResult<Option<Vec<u8>>> {
    if let Ok(text) = object.cast::<PyString>() {
        let text = text.to_str()?;
        if text.is_ascii() {
            return Ok(Some(text.as_bytes().to_vec()));
        }
        return latin1(object, text).map(Some);
    }
    Ok(object.cast::<PyBytes>().ok().map(|bytes| bytes.as_bytes().to_vec()))
}

fn latin1(object: &Bound<'_, PyAny>, text: &str) -> PyResult<Vec<u8>> {
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

/// A body and what it says of itself.
#[derive(Default)]
pub struct Payload {
    pub bytes: Option<Box<[u8]>>,
    pub content_type: Option<Cow<'static, str>>,
}

/// requests' rules: `data` before `json`, forms from mappings and pairs, text and bytes as they are.
pub fn payload(style: Style, data: Option<&Bound<'_, PyAny>>, json: Option<&Bound<'_, PyAny>>) -> PyResult<Payload> {
    let given = match data {
        Some(data) if style == Style::Requests || data.is_truthy()? => Some(data),
        _ => None,
    };
    if let Some(data) = given
        && (data.is_truthy()? || json.is_none())
    {
        return payload_of_data(style, data);
    }
    match json {
        Some(json) => {
            Ok(Payload { bytes: Some(dump_json(style, json)?), content_type: Some("application/json".into()) })
        }
        None => Ok(Payload::default()),
    }
}

fn payload_of_data(style: Style, data: &Bound<'_, PyAny>) -> PyResult<Payload> {
    if !data.is_truthy()? {
        return Ok(Payload::default());
    }
    let fast = style == Style::Gevent;
    if let Ok(text) = data.cast::<PyString>() {
        let content_type = fast.then_some("text/plain; charset=utf-8".into());
        return Ok(Payload { bytes: Some(text.to_str()?.as_bytes().into()), content_type });
    }
    if let Ok(bytes) = data.cast::<PyBytes>() {
        return Ok(Payload {
            bytes: Some(bytes.as_bytes().into()),
            content_type: fast.then_some("application/octet-stream".into()),
        });
    }
    if let Ok(bytes) = data.cast::<PyByteArray>() {
        return Ok(Payload {
            bytes: Some(bytes.to_vec().into()),
            content_type: fast.then_some("application/octet-stream".into()),
        });
    }
    if data.hasattr(intern!(data.py(), "read"))? || data.hasattr(intern!(data.py(), "__next__"))? {
        return Err(not_yet("data", "a file or generator"));
    }
    let content_type = if fast { "application/x-www-form-urlencoded; charset=utf-8" } else { body::FORM };
    Ok(Payload { bytes: Some(form(style, data)?.into_bytes().into()), content_type: Some(content_type.into()) })
}

/// `a=1&b=2` of a mapping or a list of pairs; text is taken for a query already.
pub fn form(style: Style, data: &Bound<'_, PyAny>) -> PyResult<String> {
    if let Ok(text) = data.cast::<PyString>() {
        return Ok(text.to_str()?.to_owned());
    }
    if let Ok(bytes) = data.cast::<PyBytes>() {
        return Ok(String::from_utf8_lossy(bytes.as_bytes()).into_owned());
    }
    let mut pairs = Vec::new();
    if let Ok(dict) = data.cast_exact::<PyDict>() {
        for (key, value) in dict {
            push_pairs(style, &mut pairs, &key, &value)?;
        }
    } else {
        let items = match data.getattr_opt(intern!(data.py(), "items"))? {
            Some(items) => items.call0()?,
            None => data.clone(),
        };
        for pair in items.try_iter()? {
            let (key, value) = pair?
                .extract::<(Bound<'_, PyAny>, Bound<'_, PyAny>)>()
                .map_err(|_| PyValueError::new_err("cannot encode objects that are not 2-tuples"))?;
            push_pairs(style, &mut pairs, &key, &value)?;
        }
    }
    Ok(body::urlencode(pairs))
}

/// requests repeats the key for each item of a list and drops `None`; geventhttpclient writes `str(value)`.
fn push_pairs(
    style: Style,
    pairs: &mut Vec<(Vec<u8>, Vec<u8>)>,
    key: &Bound<'_, PyAny>,
    value: &Bound<'_, PyAny>,
) -> PyResult<()> {
    let as_bytes = |object: &Bound<'_, PyAny>| -> PyResult<Vec<u8>> {
        match object.cast::<PyBytes>() {
            Ok(bytes) => Ok(bytes.as_bytes().to_vec()),
            Err(_) => Ok(object.str()?.to_str()?.as_bytes().to_vec()),
        }
    };
    let is_many = style == Style::Requests
        && !value.is_instance_of::<PyString>()
        && !value.is_instance_of::<PyBytes>()
        && value.hasattr(intern!(value.py(), "__iter__"))?;
    if !is_many {
        if style == Style::Gevent || !value.is_none() {
            pairs.push((as_bytes(key)?, as_bytes(value)?));
        }
        return Ok(());
    }
    for item in value.try_iter()? {
        let item = item?;
        if !item.is_none() {
            pairs.push((as_bytes(key)?, as_bytes(&item)?));
        }
    }
    Ok(())
}

/// `json.dumps` as the client in question calls it, through one encoder that is kept.
fn dump_json(style: Style, object: &Bound<'_, PyAny>) -> PyResult<Box<[u8]>> {
    static ENCODERS: PyOnceLock<[Py<PyAny>; 2]> = PyOnceLock::new();
    let py = object.py();
    let [strict, lenient] = ENCODERS.get_or_try_init(py, || {
        let class = py.import("json")?.getattr("JSONEncoder")?;
        let options = PyDict::new(py);
        options.set_item("allow_nan", false)?;
        let strict = class.call((), Some(&options))?.getattr("encode")?.unbind();
        Ok::<_, PyErr>([strict, class.call0()?.getattr("encode")?.unbind()])
    })?;
    let encoder = if style == Style::Requests { strict } else { lenient };
    let text = encoder.bind(py).call1((object,)).map_err(|error| as_invalid_json(style, py, error))?;
    Ok(text.cast::<PyString>()?.to_str()?.as_bytes().into())
}

fn as_invalid_json(style: Style, py: Python<'_>, error: PyErr) -> PyErr {
    if style == Style::Gevent || !error.is_instance_of::<PyValueError>(py) {
        return error;
    }
    let class = py.import("requests.exceptions").and_then(|module| module.getattr("InvalidJSONError"));
    match class.and_then(|class| class.call1((error.value(py),))) {
        Ok(wrapped) => PyErr::from_value(wrapped),
        Err(other) => other,
    }
}

/// What `auth=` asks for.
pub enum Auth {
    None,
    /// The Authorization header of a pair, or of requests' own basic authentication.
    Header(String),
    /// Something that wants to see the prepared request.
    Object,
}

pub fn authorization(auth: &Bound<'_, PyAny>) -> PyResult<Auth> {
    if !auth.is_truthy()? {
        return Ok(Auth::None);
    }
    let py = auth.py();
    let pair = if let Ok(pair) = auth.cast::<PyTuple>() {
        (pair.len() == 2).then(|| Ok::<_, PyErr>((pair.get_item(0)?, pair.get_item(1)?))).transpose()?
    } else if auth.get_type().is(basic_auth_class(py)?) {
        Some((auth.getattr(intern!(py, "username"))?, auth.getattr(intern!(py, "password"))?))
    } else {
        None
    };
    let Some((user, password)) = pair else {
        return Ok(Auth::Object);
    };
    let bytes = |object: &Bound<'_, PyAny>| match text_or_bytes(object)? {
        Some(bytes) => Ok(bytes),
        None => text_or_bytes(object.str()?.as_any()).map(Option::unwrap_or_default),
    };
    Ok(Auth::Header(body::basic_auth(&bytes(&user)?, &bytes(&password)?)))
}

fn basic_auth_class(py: Python<'_>) -> PyResult<&Bound<'_, PyAny>> {
    static CLASS: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    CLASS
        .get_or_try_init(py, || Ok(py.import("requests.auth")?.getattr("HTTPBasicAuth")?.unbind()))
        .map(|class| class.bind(py))
}

/// Cookies of one request: a mapping, or a cookie jar.
pub fn cookies(given: &Bound<'_, PyAny>) -> PyResult<Vec<(String, String)>> {
    let mut pairs = Vec::new();
    let items = given
        .call_method0(intern!(given.py(), "items"))
        .map_err(|_| PyTypeError::new_err("`cookies` must be a dict or a cookie jar of requests"))?;
    for pair in items.try_iter()? {
        let (name, value) = pair?.extract::<(Bound<'_, PyAny>, Option<Bound<'_, PyAny>>)>()?;
        if let Some(value) = value {
            pairs.push((name.str()?.to_string(), value.str()?.to_string()));
        }
    }
    Ok(pairs)
}

/// The session's settings, changed by this call's arguments.
pub fn settings(session: &Arc<Settings>, arguments: &Arguments<'_>, follow: bool) -> PyResult<Arc<Settings>> {
    let follow = match &arguments.allow_redirects {
        Some(given) => given.is_truthy()?,
        None => follow,
    };
    let unchanged = arguments.timeout.is_none()
        && arguments.verify.is_none()
        && arguments.cert.is_none()
        && arguments.max_redirects.is_none()
        && arguments.max_retries.is_none()
        && follow == session.redirects.is_some();
    if unchanged {
        return Ok(Arc::clone(session));
    }
    let mut settings = Settings::clone(session);
    if let Some(limit) = arguments.max_redirects {
        settings.redirects = Some(limit);
    }
    if let Some(limit) = arguments.max_retries {
        settings.retries.limit = limit;
    }
    if !follow {
        settings.redirects = None;
    }
    if let Some(timeout) = &arguments.timeout {
        (settings.connect_timeout, settings.read_timeout) = timeouts(timeout)?;
    }
    if arguments.verify.is_some() || arguments.cert.is_some() {
        settings.tls = tls(&session.tls, arguments.verify.as_ref(), arguments.cert.as_ref())?;
    }
    Ok(Arc::new(settings))
}

/// A proxy's URL. What requests calls one that is none, it raises.
pub fn proxy(py: Python<'_>, url: &str) -> PyResult<Arc<Proxy>> {
    Proxy::parse(url).map(Arc::new).map_err(|error| {
        let class = match error {
            NoProxy::Malformed => "InvalidProxyURL",
            NoProxy::Scheme => "InvalidURL",
        };
        let class = py.import("requests.exceptions").and_then(|module| module.getattr(class));
        match class.and_then(|class| class.call1((error.to_string(),))) {
            Ok(raised) => PyErr::from_value(raised),
            Err(other) => other,
        }
    })
}

/// A number of seconds for both, or a pair (connect, read); `None` waits for ever.
fn timeouts(given: &Bound<'_, PyAny>) -> PyResult<(Option<Duration>, Option<Duration>)> {
    if let Ok(pair) = given.cast::<PyTuple>() {
        if pair.len() != 2 {
            let shown = given.repr()?;
            return Err(PyValueError::new_err(format!(
                "Invalid timeout {shown}. Pass a (connect, read) timeout tuple, or a single float to set both timeouts to the same value."
            )));
        }
        return Ok((timeout(&pair.get_item(0)?)?, timeout(&pair.get_item(1)?)?));
    }
    let both = timeout(given)?;
    Ok((both, both))
}

fn timeout(given: &Bound<'_, PyAny>) -> PyResult<Option<Duration>> {
    if given.is_none() {
        return Ok(None);
    }
    let wrong = || {
        let shown = given.repr().map_or_else(|_| "?".to_owned(), |text| text.to_string());
        PyValueError::new_err(format!(
            "Timeout value was {shown}, but it must be a number of seconds above 0, or None."
        ))
    };
    if given.is_instance_of::<PyBool>() {
        return Err(wrong());
    }
    let seconds: f64 = given.extract().map_err(|_| wrong())?;
    Duration::try_from_secs_f64(seconds).ok().filter(|time| !time.is_zero()).map(Some).ok_or_else(wrong)
}

/// `tls` with what `verify=` and `cert=` say instead.
pub fn tls(tls: &Tls, verify: Option<&Bound<'_, PyAny>>, cert: Option<&Bound<'_, PyAny>>) -> PyResult<Tls> {
    let mut options = tls.options().clone();
    if let Some(verify) = verify {
        options.trust = trust(verify)?;
        options.checks_host_name = options.trust != Trust::Anybody;
    }
    if let Some(cert) = cert {
        options.identity = identity(cert)?;
    }
    Ok(Tls::new(options))
}

/// `verify`: whether, or against which file or folder, certificates are checked.
fn trust(verify: &Bound<'_, PyAny>) -> PyResult<Trust> {
    if verify.is_instance_of::<PyBool>() || !verify.is_truthy()? {
        return Ok(if verify.is_truthy()? { Trust::Mozilla } else { Trust::Anybody });
    }
    match path(verify) {
        Ok(path) => Ok(Trust::Path(path)),
        Err(_) => Ok(Trust::Mozilla),
    }
}

/// `cert`: a file with certificate and key, or a pair of files.
fn identity(cert: &Bound<'_, PyAny>) -> PyResult<Option<Identity>> {
    if !cert.is_truthy()? {
        return Ok(None);
    }
    let (certificate, key) = match cert.extract::<(Bound<'_, PyAny>, Bound<'_, PyAny>)>() {
        Ok((certificate, key)) => (certificate, (!key.is_none()).then_some(key)),
        Err(_) => (cert.clone(), None),
    };
    if !certificate.is_truthy()? {
        return Ok(None);
    }
    let file = |given: &Bound<'_, PyAny>| path(given).map(Pem::File);
    Ok(Some(Identity { certificate: file(&certificate)?, key: key.as_ref().map(file).transpose()?, password: None }))
}

/// A path: text, bytes, or what has a `__fspath__`.
fn path(given: &Bound<'_, PyAny>) -> PyResult<Arc<str>> {
    let text = given.py().import("os")?.call_method1(intern!(given.py(), "fsdecode"), (given,))?;
    Ok(text.cast_into::<PyString>()?.to_str()?.into())
}

/// requests looks for the files before it sends anything, and for the authorities' only where they are needed.
pub fn check_files(tls: &Tls, secure: bool) -> PyResult<()> {
    match tls.missing_file() {
        Some(Missing::Authorities(path)) if secure => Err(PyOSError::new_err(format!(
            "Could not find a suitable TLS CA certificate bundle, invalid path: {path}"
        ))),
        Some(Missing::Certificate(path)) => {
            Err(PyOSError::new_err(format!("Could not find the TLS certificate file, invalid path: {path}")))
        }
        Some(Missing::Key(path)) => {
            Err(PyOSError::new_err(format!("Could not find the TLS key file, invalid path: {path}")))
        }
        Some(Missing::Authorities(_)) | None => Ok(()),
    }
}

/// Whether an argument has a say in the request that only requests' own code honours.
pub fn needs_requests(arguments: &Arguments<'_>) -> PyResult<bool> {
    for given in [&arguments.proxies, &arguments.hooks].into_iter().flatten() {
        if given.is_truthy()? {
            return Ok(true);
        }
    }
    if let Some(auth) = &arguments.auth
        && matches!(authorization(auth)?, Auth::Object)
    {
        return Ok(true);
    }
    // A jar's cookies have domains and paths.
    if arguments.cookies.as_ref().is_some_and(|cookies| !cookies.is_exact_instance_of::<PyDict>()) {
        return Ok(true);
    }
    if arguments.timeout.as_ref().is_some_and(|timeout| !is_number(timeout) && !timeout.is_instance_of::<PyTuple>()) {
        return Ok(true);
    }
    arguments.data.as_ref().map_or(Ok(false), |data| Ok(!is_whole(data)?))
}

fn is_number(object: &Bound<'_, PyAny>) -> bool {
    object.is_instance_of::<PyFloat>() || object.is_instance_of::<PyInt>()
}

/// Whether `data` is there whole, or a form to be made of it: no file, and nothing that has yet to be made.
fn is_whole(data: &Bound<'_, PyAny>) -> PyResult<bool> {
    if data.is_instance_of::<PyString>()
        || data.is_instance_of::<PyBytes>()
        || data.is_instance_of::<PyDict>()
        || data.is_instance_of::<PyList>()
        || data.is_instance_of::<PyTuple>()
        || data.is_instance_of::<PyByteArray>()
    {
        return Ok(true);
    }
    Ok(data.cast::<PyMapping>().is_ok() || !data.hasattr(intern!(data.py(), "__iter__"))?)
}

pub fn not_yet(argument: &str, what: &str) -> PyErr {
    PyNotImplementedError::new_err(format!("gregaria does not support {what} for `{argument}=` yet"))
}

/// Whether a mapping or list was given that has anything in it.
pub fn is_given(object: Option<&Bound<'_, PyAny>>) -> PyResult<bool> {
    match object {
        None => Ok(false),
        Some(object) if object.is_instance_of::<PyList>() => Ok(!object.is_empty()?),
        Some(object) => object.is_truthy(),
    }
}
