//! `_engine.Dispatcher`: the distribution of users, seen from Python. It plans; `locust.dispatch` sleeps.

use std::sync::{Mutex, MutexGuard};

use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::swarm::dispatch::{Assignment, Class, Dispatcher as Plan, Weighted};
use crate::sync::held;

/// A user class as Python gives it: name, weight, fixed count.
type ClassTuple = (String, f64, u64);

#[pyclass(frozen, module = "gregaria._engine")]
pub struct Dispatcher {
    plan: Mutex<Plan>,
}

#[pymethods]
impl Dispatcher {
    #[new]
    fn new(nodes: Vec<String>, classes: Vec<ClassTuple>) -> Self {
        Self { plan: Mutex::new(Plan::new(nodes, classes.into_iter().map(class).collect())) }
    }

    #[pyo3(signature = (target, rate, classes=None))]
    fn start(&self, target: usize, rate: f64, classes: Option<Vec<ClassTuple>>) {
        self.plan().start(target, rate, classes.map(|classes| classes.into_iter().map(class).collect()));
    }

    /// The next step: the assignment, and whether a pause follows it; `None` at the end.
    fn step<'py>(&self, py: Python<'py>) -> PyResult<Option<(Bound<'py, PyDict>, bool)>> {
        let step = self.plan().step();
        step.map(|step| Ok((to_dict(py, &step.assignment)?, step.pause))).transpose()
    }

    fn add_node(&self, node: String) {
        self.plan().add_node(node);
    }

    fn remove_node(&self, node: &str) {
        self.plan().remove_node(node);
    }

    fn distribution_of<'py>(&self, py: Python<'py>, target: usize) -> PyResult<Bound<'py, PyDict>> {
        let fresh = self.plan().distribution_of(target);
        to_dict(py, &fresh.assignment())
    }

    fn user_count_of(&self, class: &str) -> u64 {
        self.plan().user_count_of(class)
    }

    #[getter]
    fn assignment<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let assignment = self.plan().assignment();
        to_dict(py, &assignment)
    }

    #[getter]
    fn user_count(&self) -> usize {
        self.plan().user_count()
    }

    #[getter]
    fn pause(&self) -> f64 {
        self.plan().pause()
    }

    #[getter]
    fn in_progress(&self) -> bool {
        self.plan().in_progress()
    }

    #[getter]
    fn rebalanced(&self) -> bool {
        self.plan().is_rebalanced()
    }

    #[getter]
    fn nodes(&self) -> Vec<String> {
        self.plan().nodes().to_vec()
    }
}

impl Dispatcher {
    fn plan(&self) -> MutexGuard<'_, Plan> {
        held(&self.plan)
    }
}

/// The order in which items of these weights come: their places, without end.
#[pyclass(frozen, module = "gregaria._engine")]
pub struct WeightedSequence {
    sequence: Mutex<Weighted>,
}

#[pymethods]
impl WeightedSequence {
    #[new]
    fn new(weights: Vec<f64>) -> Self {
        Self { sequence: Mutex::new(Weighted::new(weights.into_iter().enumerate())) }
    }

    /// The place of the next item; `None` if there is no positive weight.
    fn next(&self) -> Option<usize> {
        held(&self.sequence).next()
    }
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<Dispatcher>()?;
    module.add_class::<WeightedSequence>()
}

fn class((name, weight, fixed_count): ClassTuple) -> Class {
    Class { name, weight, fixed_count }
}

fn to_dict<'py>(py: Python<'py>, assignment: &Assignment) -> PyResult<Bound<'py, PyDict>> {
    let nodes = PyDict::new(py);
    for (node, classes) in assignment {
        let users = PyDict::new(py);
        classes.iter().try_for_each(|(class, count)| users.set_item(class, count))?;
        nodes.set_item(node, users)?;
    }
    Ok(nodes)
}
