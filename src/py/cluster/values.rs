//! Python's objects as `MessagePack`'s values and back, as Locust's messages have them.
//!
//! What cannot be represented makes the sender fail, with the exception that Locust's sender fails with.

use pyo3::exceptions::{PyModuleNotFoundError, PyOverflowError, PyTypeError, PyUnicodeDecodeError, PyValueError};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{
    PyBool, PyByteArray, PyBytes, PyDateTime, PyDict, PyFloat, PyInt, PyList, PyMemoryView, PyString, PyTuple,
};

use crate::cluster::message::{self, MOST_DEEP, MOST_VALUES, Value};

/// How Locust writes a moment; it leaves the time zone out.
const MOMENT: &str = "%Y%m%dT%H:%M:%S.%f";
const MOMENT_KEY: &str = "__datetime__";
const OBJECT_ID_KEY: &str = "__ObjectId__";
const TEXT_KEY: &str = "as_str";
/// The extension type that `MessagePack` itself gives a meaning: a moment.
const TIMESTAMP: i8 = -1;

/// The data of a message out of a Python object.
pub fn encoded(object: &Bound<'_, PyAny>) -> PyResult<Vec<u8>> {
    Ok(message::encode_data(&from_python(object)?))
}

/// What the data of a message mean. No bytes are `None`. `ValueError` for what is none.
#[pyfunction(name = "unpack_data")]
pub fn decoded<'py>(py: Python<'py>, data: &[u8]) -> PyResult<Bound<'py, PyAny>> {
    if data.is_empty() {
        return Ok(py.None().into_bound(py));
    }
    to_python(py, &message::value(data).map_err(malformed)?)
}

fn malformed(malformed: message::Malformed) -> PyErr {
    PyValueError::new_err(malformed.to_string())
}

/// A Python object as a value. Subclasses count as what they are derived from; tuples become arrays.
pub fn from_python(object: &Bound<'_, PyAny>) -> PyResult<Value> {
    Packing { values_left: MOST_VALUES }.value(object, 0)
}

/// A value as Locust's receivers see it: lists, never tuples; the maps that stand for moments and object ids as those.
pub fn to_python<'py>(py: Python<'py>, value: &Value) -> PyResult<Bound<'py, PyAny>> {
    Ok(match value {
        Value::Nil => py.None().into_bound(py),
        Value::Boolean(flag) => PyBool::new(py, *flag).to_owned().into_any(),
        Value::Integer(number) => match (number.as_u64(), number.as_i64()) {
            (Some(number), _) => number.into_pyobject(py)?.into_any(),
            (None, number) => number.unwrap_or_default().into_pyobject(py)?.into_any(),
        },
        Value::F32(number) => PyFloat::new(py, f64::from(*number)).into_any(),
        Value::F64(number) => PyFloat::new(py, *number).into_any(),
        Value::String(text) => match text.as_str() {
            Some(text) => PyString::new(py, text).into_any(),
            // Messages are looked through before they are decoded; this one was not.
            None => return Err(PyUnicodeDecodeError::new_err("a text in a message is not UTF-8")),
        },
        Value::Binary(bytes) => PyBytes::new(py, bytes).into_any(),
        Value::Array(items) => {
            let list = PyList::empty(py);
            for item in items {
                list.append(to_python(py, item)?)?;
            }
            list.into_any()
        }
        Value::Map(pairs) => map(py, pairs)?,
        Value::Ext(kind, data) => extension(py, *kind, data)?,
    })
}

fn map<'py>(py: Python<'py>, pairs: &[(Value, Value)]) -> PyResult<Bound<'py, PyAny>> {
    let dict = PyDict::new(py);
    for (key, value) in pairs {
        dict.set_item(to_python(py, key)?, to_python(py, value)?)?;
    }
    if dict.contains(intern!(py, MOMENT_KEY))? {
        let text = dict.as_any().get_item(intern!(py, TEXT_KEY))?;
        return py.get_type::<PyDateTime>().call_method1(intern!(py, "strptime"), (text, MOMENT));
    }
    if dict.contains(intern!(py, OBJECT_ID_KEY))? {
        let text = dict.as_any().get_item(intern!(py, TEXT_KEY))?;
        return py.import("bson")?.getattr("ObjectId")?.call1((text,));
    }
    Ok(dict.into_any())
}

fn extension<'py>(py: Python<'py>, kind: i8, data: &[u8]) -> PyResult<Bound<'py, PyAny>> {
    let Ok(msgpack) = py.import("msgpack") else {
        let text = "a message has a MessagePack extension type, which the package msgpack is needed for";
        return Err(PyModuleNotFoundError::new_err(text));
    };
    let data = PyBytes::new(py, data);
    match kind {
        TIMESTAMP => msgpack.getattr("Timestamp")?.call_method1("from_bytes", (data,)),
        kind => msgpack.getattr("ExtType")?.call1((kind, data)),
    }
}

/// One object on its way to a message, whose size is bounded as the receiver bounds it.
struct Packing {
    values_left: u32,
}

impl Packing {
    fn value(&mut self, object: &Bound<'_, PyAny>, depth: usize) -> PyResult<Value> {
        if depth > MOST_DEEP {
            return Err(PyValueError::new_err("recursion limit exceeded."));
        }
        let Some(left) = self.values_left.checked_sub(1) else {
            return Err(PyValueError::new_err(format!("a message has at most {MOST_VALUES} values")));
        };
        self.values_left = left;
        if object.is_none() {
            Ok(Value::Nil)
        } else if let Ok(flag) = object.cast::<PyBool>() {
            Ok(Value::Boolean(flag.is_true()))
        } else if let Ok(number) = object.cast::<PyInt>() {
            integer(number)
        } else if let Ok(number) = object.cast::<PyFloat>() {
            Ok(Value::F64(number.value()))
        } else if let Ok(bytes) = object.cast::<PyBytes>() {
            Ok(bytes.as_bytes().into())
        } else if let Ok(text) = object.cast::<PyString>() {
            Ok(Value::String(text.extract::<String>()?.into()))
        } else {
            self.container(object, depth)
        }
    }

    fn container(&mut self, object: &Bound<'_, PyAny>, depth: usize) -> PyResult<Value> {
        if let Ok(dict) = object.cast_exact::<PyDict>() {
            let pair = |(key, value): (Bound<'_, PyAny>, Bound<'_, PyAny>)| self.pair(&key, &value, depth);
            dict.iter().map(pair).collect::<PyResult<_>>().map(Value::Map)
        } else if object.is_instance_of::<PyDict>() {
            // A subclass may show other items than the dict below has.
            let items = object.call_method0(intern!(object.py(), "items"))?;
            let mut pairs = Vec::new();
            for item in items.try_iter()? {
                let (key, value): (Bound<'_, PyAny>, Bound<'_, PyAny>) = item?.extract()?;
                pairs.push(self.pair(&key, &value, depth)?);
            }
            Ok(Value::Map(pairs))
        } else if let Some(extension) = to_extension(object)? {
            Ok(extension)
        } else if let Ok(list) = object.cast::<PyList>() {
            list.iter().map(|item| self.value(&item, depth + 1)).collect::<PyResult<_>>().map(Value::Array)
        } else if let Ok(tuple) = object.cast::<PyTuple>() {
            tuple.iter().map(|item| self.value(&item, depth + 1)).collect::<PyResult<_>>().map(Value::Array)
        } else {
            scalar(object)
        }
    }

    fn pair(&mut self, key: &Bound<'_, PyAny>, value: &Bound<'_, PyAny>, depth: usize) -> PyResult<(Value, Value)> {
        Ok((self.value(key, depth + 1)?, self.value(value, depth + 1)?))
    }
}

fn integer(number: &Bound<'_, PyInt>) -> PyResult<Value> {
    if let Ok(number) = number.extract::<i64>() {
        return Ok(number.into());
    }
    let out_of_range = |_| PyOverflowError::new_err("Integer value out of range");
    number.extract::<u64>().map(Value::from).map_err(out_of_range)
}

/// What the package msgpack has types for; it has been imported by whoever made one.
fn to_extension(object: &Bound<'_, PyAny>) -> PyResult<Option<Value>> {
    let Some(msgpack) = loaded(object.py(), "msgpack")? else { return Ok(None) };
    if object.is_instance(&msgpack.getattr("ExtType")?)? {
        let (kind, data): (i8, Vec<u8>) = object.extract()?;
        return Ok(Some(Value::Ext(kind, data)));
    }
    if object.is_instance(&msgpack.getattr("Timestamp")?)? {
        return Ok(Some(Value::Ext(TIMESTAMP, object.call_method0("to_bytes")?.extract()?)));
    }
    Ok(None)
}

fn scalar(object: &Bound<'_, PyAny>) -> PyResult<Value> {
    let py = object.py();
    if let Ok(bytes) = object.cast::<PyByteArray>() {
        return Ok(bytes.to_vec().into());
    }
    if object.is_instance_of::<PyMemoryView>() {
        return Ok(object.call_method0("tobytes")?.extract::<Vec<u8>>()?.into());
    }
    if object.is_instance_of::<PyDateTime>() {
        let text = object.call_method1(intern!(py, "strftime"), (MOMENT,))?.extract::<String>()?;
        return Ok(marked(MOMENT_KEY, text));
    }
    if let Some(bson) = loaded(py, "bson")?
        && object.is_instance(&bson.getattr("ObjectId")?)?
    {
        return Ok(marked(OBJECT_ID_KEY, object.str()?.extract()?));
    }
    Err(PyTypeError::new_err(format!("can not serialize '{}' object", object.get_type().name()?)))
}

fn marked(key: &str, text: String) -> Value {
    Value::Map(vec![(key.into(), true.into()), (TEXT_KEY.into(), text.into())])
}

/// A module that somebody has imported. Nothing is imported for a question.
fn loaded<'py>(py: Python<'py>, name: &str) -> PyResult<Option<Bound<'py, PyAny>>> {
    let modules = py.import("sys")?.getattr("modules")?;
    let module = modules.call_method1("get", (name,))?;
    Ok((!module.is_none()).then_some(module))
}

/// A message as it goes over the wire: `bytes`.
#[pyfunction]
fn pack<'py>(
    kind: &Bound<'py, PyAny>,
    data: &Bound<'py, PyAny>,
    node_id: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyBytes>> {
    let parts = vec![from_python(kind)?, from_python(data)?, from_python(node_id)?];
    Ok(PyBytes::new(kind.py(), &message::encode_data(&Value::Array(parts))))
}

/// The data of a message: `bytes`. `TypeError`, `ValueError` or `OverflowError` for what `MessagePack` cannot hold.
#[pyfunction]
fn pack_data<'py>(data: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyBytes>> {
    Ok(PyBytes::new(data.py(), &encoded(data)?))
}

/// The three parts of a message. `ValueError`: it is none, and why.
#[pyfunction]
fn unpack<'py>(py: Python<'py>, message: &[u8]) -> PyResult<Bound<'py, PyAny>> {
    message::open(message).map_err(malformed)?;
    to_python(py, &message::value(message).map_err(malformed)?)
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(pack, module)?)?;
    module.add_function(wrap_pyfunction!(pack_data, module)?)?;
    module.add_function(wrap_pyfunction!(unpack, module)?)?;
    module.add_function(wrap_pyfunction!(decoded, module)?)
}
