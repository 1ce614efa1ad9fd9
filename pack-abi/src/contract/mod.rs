//! Does a value fit a signature? Checked on the encoded bytes; where it does not, the place is named.
//!
//! A [`Contract`] is a function's signature, compiled once into a flat list of shapes. A value fits if the bindings
//! that are generated for its type decode it; beyond that, a case must have the name that belongs to its tag, and no
//! flag may be set that has no name. Names count in both of their spellings (see [`names`](crate::names)), names of
//! types not at all, and neither do the declared types that options, results and empty containers carry.
//!
//! Typed code needs none of this: its decoding is the check. This is for callers and handlers that deal in
//! [`Value`] or in bytes, for what a guest returns, and for telling a person what is wrong.

mod check;
mod problem;
mod shape;

use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

pub use problem::{Problem, Violation};

use crate::types::{Function, Interface};
use crate::{Kind, Limits, NodeRef, Value, View};
use check::Fault;
use shape::{Program, ShapeId};

/// A function's signature, ready to be compared with values.
#[derive(Clone, Debug)]
pub struct Contract {
    function: String,
    params: Vec<(String, ShapeId)>,
    result: Option<ShapeId>,
    program: Program,
}

impl Contract {
    /// Makes the contract of a function; names of types are looked up in its interface.
    ///
    /// A name that the interface does not define stands for any value, as it does in hashes.
    #[must_use]
    pub fn new(interface: &Interface, function: &Function) -> Self {
        let mut compiler = shape::Compiler::new(&interface.types);
        let params = function.params.iter().map(|param| (param.name.clone(), compiler.compile(&param.ty)));
        let params = params.collect();
        let result = function.result.as_ref().map(|ty| compiler.compile(ty));
        let name = match interface.name.as_str() {
            "" => function.name.clone(),
            interface => format!("{interface}.{}", function.name),
        };
        Self { function: name, params, result, program: compiler.into_program() }
    }

    /// Returns the name of the function, with that of its interface.
    #[must_use]
    pub fn function(&self) -> &str {
        &self.function
    }

    /// Returns the number of parameters.
    #[must_use]
    pub const fn param_count(&self) -> usize {
        self.params.len()
    }

    /// Checks the arguments of a guest's call to its host: the bare value for one parameter, a tuple otherwise.
    ///
    /// # Errors
    ///
    /// If the bytes are no value or the arguments do not fit.
    pub fn check_import(&self, input: &[u8]) -> Result<(), Violation> {
        let view = self.view(input, "")?;
        match self.params.as_slice() {
            [(name, shape)] => self.check(view.root(), *shape, name),
            _ => self.check_all(view.root()),
        }
    }

    /// Checks the arguments of a host's call to its guest: a tuple; for one parameter also the bare value.
    ///
    /// # Errors
    ///
    /// If the bytes are no value or the arguments do not fit.
    pub fn check_call(&self, input: &[u8]) -> Result<(), Violation> {
        let view = self.view(input, "")?;
        let root = view.root();
        let [(name, shape)] = self.params.as_slice() else { return self.check_all(root) };
        let wrapped = if root.kind() == Kind::Tuple { root.tuple_of::<1>().ok() } else { None };
        let Some([only]) = wrapped else { return self.check(root, *shape, name) };
        // What is wrong in the tuple is what the caller wants to know, unless the tuple is the value itself.
        self.check(only, *shape, name)
            .or_else(|violation| self.check(root, *shape, name).map_err(|_| violation))
    }

    /// Checks arguments that are given as dynamic values, one for each parameter.
    ///
    /// # Errors
    ///
    /// If there are more or fewer, or one does not fit or cannot be encoded.
    pub fn check_values(&self, arguments: &[Value]) -> Result<(), Violation> {
        if arguments.len() != self.params.len() {
            return Err(self.violation(String::new(), self.wrong_number(arguments.len())));
        }
        (0..).zip(arguments).try_for_each(|(place, argument)| self.check_value(place, argument))
    }

    /// Checks the argument for the parameter at this place.
    ///
    /// # Errors
    ///
    /// If there is no such parameter, or the value does not fit or cannot be encoded.
    pub fn check_value(&self, place: usize, argument: &Value) -> Result<(), Violation> {
        let Some((name, shape)) = self.params.get(place) else {
            return Err(self.violation(String::new(), self.wrong_number(place + 1)));
        };
        let bytes = crate::encode(argument)
            .map_err(|error| self.violation(name.clone(), Problem::Unencodable(error)))?;
        self.check(self.view(&bytes, name)?.root(), *shape, name)
    }

    /// Checks an encoded result.
    ///
    /// # Errors
    ///
    /// If the bytes are no value or the result does not fit.
    pub fn check_result(&self, output: &[u8]) -> Result<(), Violation> {
        self.check_result_node(self.view(output, RESULT)?.root())
    }

    /// Checks a result whose bytes were already looked at.
    ///
    /// # Errors
    ///
    /// If the result does not fit.
    pub fn check_result_node(&self, root: NodeRef<'_, '_>) -> Result<(), Violation> {
        match self.result {
            Some(shape) => self.check(root, shape, RESULT),
            None if root.kind() == Kind::Tuple && root.children().len() == 0 => Ok(()),
            None => {
                let found = problem::found(root);
                Err(self.violation(RESULT.into(), Problem::Type { expected: "no result".into(), found }))
            }
        }
    }

    fn check_all(&self, root: NodeRef<'_, '_>) -> Result<(), Violation> {
        let Ok(arguments) = root.tuple() else {
            return Err(self.violation(String::new(), self.not_arguments(root)));
        };
        if arguments.len() != self.params.len() {
            return Err(self.violation(String::new(), self.wrong_number(arguments.len())));
        }
        for ((name, shape), argument) in self.params.iter().zip(arguments) {
            self.check(argument, *shape, name)?;
        }
        Ok(())
    }

    fn check(&self, node: NodeRef<'_, '_>, shape: ShapeId, name: &str) -> Result<(), Violation> {
        self.program.check(node, shape).map_err(|fault| self.explain(node, name, *fault))
    }

    #[cold]
    fn explain(&self, node: NodeRef<'_, '_>, name: &str, fault: Fault) -> Violation {
        self.violation(format!("{name}{}", node.path_to(fault.offset)), fault.problem)
    }

    fn view<'a>(&self, bytes: &'a [u8], path: &str) -> Result<View<'a>, Violation> {
        View::parse(bytes, &Limits::default())
            .map_err(|error| self.violation(path.into(), Problem::Malformed(error)))
    }

    #[cold]
    fn violation(&self, path: String, problem: Problem) -> Violation {
        Violation { function: self.function.clone(), path, problem: Box::new(problem) }
    }

    fn wrong_number(&self, found: usize) -> Problem {
        Problem::Count { what: "arguments", expected: self.params.len(), found }
    }

    fn not_arguments(&self, root: NodeRef<'_, '_>) -> Problem {
        let expected = format!("{} arguments", self.params.len());
        Problem::Type { expected, found: problem::found(root) }
    }
}

/// Where the path of a result begins.
const RESULT: &str = "result";
