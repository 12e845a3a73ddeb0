//! How a request is sent: time-outs, certificates, redirects, proxies.

use std::sync::Arc;
use std::time::Duration;

use pyo3::exceptions::{PyOSError, PyValueError};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyString, PyTuple};

use crate::http::Settings;
use crate::http::transport::tls::{Identity, Missing, Pem, Tls, Trust};
use crate::http::transport::{NoProxy, Proxy};
use crate::py::arguments::Arguments;

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
