//! The engine's cookies as `http.cookiejar`'s, and back.

use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::http::cookies::Cookie;

/// The keyword arguments of `http.cookiejar.Cookie`.
pub fn describe<'py>(py: Python<'py>, cookie: &Cookie) -> PyResult<Bound<'py, PyDict>> {
    let fields = PyDict::new(py);
    fields.set_item("name", &*cookie.name)?;
    fields.set_item("value", cookie.value.as_deref())?;
    fields.set_item("domain", &*cookie.domain)?;
    fields.set_item("domain_specified", cookie.domain_specified)?;
    fields.set_item("domain_initial_dot", cookie.domain_initial_dot)?;
    fields.set_item("path", &*cookie.path)?;
    fields.set_item("path_specified", cookie.path_specified)?;
    fields.set_item("port", cookie.port.as_deref())?;
    fields.set_item("port_specified", cookie.port_specified)?;
    fields.set_item("secure", cookie.secure)?;
    fields.set_item("expires", cookie.expires)?;
    fields.set_item("discard", cookie.discard)?;
    let rest = PyDict::new(py);
    for attribute in cookie.rest.split(';').map(str::trim).filter(|attribute| !attribute.is_empty()) {
        match attribute.split_once('=') {
            Some((name, value)) => rest.set_item(name, value)?,
            None => rest.set_item(attribute, py.None())?,
        }
    }
    fields.set_item("rest", rest)?;
    Ok(fields)
}

pub fn read(cookie: &Bound<'_, PyAny>) -> PyResult<Cookie> {
    let text = |name: &str| -> PyResult<Option<Box<str>>> {
        let value = cookie.getattr(name)?;
        if value.is_none() { Ok(None) } else { Ok(Some(value.str()?.to_str()?.into())) }
    };
    let flag = |name: &str| cookie.getattr(name)?.is_truthy();
    Ok(Cookie {
        name: text("name")?.unwrap_or_default(),
        value: text("value")?,
        domain: text("domain")?.unwrap_or_default(),
        path: text("path")?.unwrap_or_else(|| "/".into()),
        port: text("port")?,
        expires: cookie.getattr("expires")?.extract()?,
        secure: flag("secure")?,
        domain_specified: flag("domain_specified")?,
        domain_initial_dot: flag("domain_initial_dot")?,
        path_specified: flag("path_specified")?,
        port_specified: flag("port_specified")?,
        discard: flag("discard")?,
        rest: Box::default(),
    })
}
