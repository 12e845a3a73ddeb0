//! Bodies: what `data=` and `json=` become.

use std::borrow::Cow;

use pyo3::exceptions::PyValueError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyByteArray, PyBytes, PyDict, PyString};

use super::not_yet;
use crate::http::body;
use crate::http::url::Style;

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
