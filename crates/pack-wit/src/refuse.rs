//! What is wrong with the types of one interface: unknown names, wrong numbers of arguments, and what the Graph ABI
//! cannot carry.
//!
//! Every mistake is reported, once and where it stands. What is built from the types afterwards (`lower.rs`) puts
//! something harmless in the place of a mistake and is silent about it.

use crate::ast::{Body, Definition, DefinitionKind, Name, Signature, TypeExpr, TypeKind};
use crate::error::{Fault, Span};
use crate::lower::Scope;
use crate::parser_types::near_type;

/// Reports what is wrong with the definitions and functions of an interface or world.
pub(crate) fn check_body(body: &Body, scope: &Scope, faults: &mut Vec<Box<Fault>>) {
    let mut check = Check { scope, params: &[], faults };
    for definition in &body.types {
        check.definition(definition);
    }
    for signature in &body.functions {
        check.signature(signature);
    }
}

struct Check<'a> {
    scope: &'a Scope,
    /// The parameters of the definition in hand.
    params: &'a [Name],
    faults: &'a mut Vec<Box<Fault>>,
}

impl<'a> Check<'a> {
    fn definition(&mut self, definition: &'a Definition) {
        self.params = &definition.params;
        match &definition.kind {
            DefinitionKind::Alias(target) => self.ty(target),
            DefinitionKind::Record(fields) => fields.iter().for_each(|field| self.ty(&field.ty)),
            DefinitionKind::Variant(cases) => {
                cases.iter().filter_map(|case| case.ty.as_ref()).for_each(|ty| self.ty(ty));
            }
            DefinitionKind::Enum(_) | DefinitionKind::Flags(_) | DefinitionKind::Parameter(_) => {}
            DefinitionKind::Resource(_) => {
                let message = "resources are not supported by the Graph ABI";
                self.faults.push(
                    Fault::new(definition.name.span, message)
                        .hint("pass an identifier, such as a `string` or `u64`, and functions that take it"),
                );
            }
        }
        self.params = &[];
    }

    fn signature(&mut self, signature: &Signature) {
        if let Some(span) = signature.asynchronous {
            let fault = Fault::new(span, "async functions are not supported by the Graph ABI");
            self.faults.push(fault.hint("leave `async` out: every call may wait"));
        }
        signature.params.iter().for_each(|(_, ty)| self.ty(ty));
        signature.result.iter().for_each(|ty| self.ty(ty));
    }

    /// Types are nested as deep as the parser allows, so recursion is safe.
    fn ty(&mut self, ty: &TypeExpr) {
        match &ty.kind {
            TypeKind::Simple(_) => {}
            TypeKind::List(inner) | TypeKind::Option(inner) | TypeKind::Set(inner) => self.ty(inner),
            TypeKind::Result(ok, err) => [ok, err].into_iter().flatten().for_each(|arm| self.ty(arm)),
            TypeKind::Tuple(items) => items.iter().for_each(|item| self.ty(item)),
            TypeKind::Map(key, value) => {
                self.ty(key);
                self.ty(value);
            }
            TypeKind::Named(name, arguments) => {
                self.named(name, arguments.len());
                arguments.iter().for_each(|argument| self.ty(argument));
            }
            TypeKind::Array(item, _) => {
                self.unsupported(ty.span, "lists of fixed length are", "write `list<T>` or `tuple<T, T>`");
                self.ty(item);
            }
            TypeKind::Handle(word, resource) => {
                // A resource is refused where it is defined, and its handles with it.
                if !self.scope.is_resource(&resource.text) {
                    let hint = "pass values, or an identifier of what stays on the other side";
                    self.unsupported(ty.span, &format!("`{word}` is"), hint);
                }
            }
            TypeKind::Channel(word, item) => {
                let hint = "pass values, or an identifier of what stays on the other side";
                self.unsupported(ty.span, &format!("`{word}` is"), hint);
                item.iter().for_each(|item| self.ty(item));
            }
            TypeKind::ErrorContext => {
                self.unsupported(ty.span, "`error-context` is", "pass the text of the error as a `string`");
            }
        }
    }

    fn unsupported(&mut self, span: Span, what: &str, hint: &str) {
        let fault = Fault::new(span, format!("{what} not supported by the Graph ABI"));
        self.faults.push(fault.hint(hint));
    }

    fn named(&mut self, name: &Name, arguments: usize) {
        let word = name.text.as_str();
        let expected =
            if self.params.iter().any(|param| param.text == word) { Some(0) } else { self.scope.arity(word) };
        match expected {
            Some(expected) if expected == arguments => {}
            Some(0) => {
                self.faults.push(Fault::new(name.span, format!("`{word}` takes no types in angle brackets")));
            }
            Some(expected) => {
                let what = if expected == 1 { "one type".to_owned() } else { format!("{expected} types") };
                let message = format!("`{word}` takes {what} in angle brackets, here are {arguments}");
                self.faults.push(Fault::new(name.span, message));
            }
            None => self.faults.push(self.unknown(name, arguments > 0)),
        }
    }

    fn unknown(&self, name: &Name, is_applied: bool) -> Box<Fault> {
        let fault = Fault::new(name.span, format!("there is no type `{}`", name.text));
        let params = self.params.iter().map(|param| param.text.as_str());
        match near_type(name, is_applied, self.scope.visible().chain(params)) {
            Some(near) if is_applied => fault.hint(format!("did you mean `{near}<...>`?")),
            Some(near) => fault.hint(format!("did you mean `{near}`?")),
            None if name.text == "self" => fault.hint("a type refers to itself by its name"),
            None => fault.hint("define it here, or bring it in with `use`"),
        }
    }
}
