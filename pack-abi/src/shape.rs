//! Reading records and variants: what the derive's output calls.
//!
//! A record of the expected shape begins with bytes that the compiler knows (names and count), so reading it is
//! one comparison. Any other record is read by name, in whatever order its fields are; a field may also be spelt as in
//! the interface text.

use crate::cursor::Cursor;
use crate::names::is_field;
use crate::{Children, Decode, DecodeError, DecodeErrorKind, Kind, NodeRef};

/// What the derive knows of a record at compile time.
pub struct RecordShape {
    /// The payload up to the indices: type name, number of fields, field names.
    pub head: &'static [u8],
    /// The names of the fields in order of declaration.
    pub names: &'static [&'static str],
    /// Whether missing fields get their default and unknown ones are passed over.
    pub forward_compatible: bool,
}

/// What the derive knows of a case at compile time.
pub struct CaseShape {
    /// The name of the type.
    pub type_name: &'static str,
    /// The name of the case.
    pub name: &'static str,
    /// The payload up to the number of payloads: both names and the tag.
    pub head: &'static [u8],
}

/// The fields of a record node, read by place in a [`RecordShape`].
pub struct Fields<'a, 'v> {
    node: NodeRef<'a, 'v>,
    links: &'a [[u8; 4]],
    /// The names as they are, unless they are exactly those of the shape.
    names: Option<Cursor<'a>>,
    shape: &'static RecordShape,
}

impl<'a, 'v> Fields<'a, 'v> {
    /// Reads the field at this place of the shape.
    ///
    /// # Errors
    ///
    /// If the field is missing or of another type.
    #[inline]
    pub fn get<T: Decode<'a>>(&self, place: usize) -> Result<T, DecodeError> {
        match self.find(place)? {
            Some(node) => T::decode_node(node),
            None => Err(self.missing(place)),
        }
    }

    /// Reads the field at this place of the shape, or makes its default if it is missing.
    ///
    /// # Errors
    ///
    /// If the field is of another type.
    #[inline]
    pub fn get_or_default<T: Decode<'a> + Default>(&self, place: usize) -> Result<T, DecodeError> {
        match self.find(place)? {
            Some(node) => T::decode_node(node),
            None => Ok(T::default()),
        }
    }

    #[inline]
    fn find(&self, place: usize) -> Result<Option<NodeRef<'a, 'v>>, DecodeError> {
        match self.names {
            None => Ok(self.links.get(place).map(|link| self.node.at(*link))),
            Some(names) => self.find_by_name(names, place),
        }
    }

    #[inline(never)]
    fn find_by_name(
        &self,
        mut names: Cursor<'a>,
        place: usize,
    ) -> Result<Option<NodeRef<'a, 'v>>, DecodeError> {
        let wanted = self.shape.names.get(place).copied().unwrap_or_default();
        for link in self.links {
            if is_field(names.text()?, wanted) {
                return Ok(Some(self.node.at(*link)));
            }
        }
        Ok(None)
    }

    #[cold]
    fn missing(&self, place: usize) -> DecodeError {
        let name = self.shape.names.get(place).copied().unwrap_or_default();
        self.node.error(DecodeErrorKind::MissingField(name))
    }
}

/// A variant node.
pub struct Case<'a, 'v> {
    node: NodeRef<'a, 'v>,
    type_name: &'a str,
    name: &'a str,
    tag: u32,
    payloads: Children<'a, 'v>,
}

impl<'a, 'v> Case<'a, 'v> {
    /// Returns the name of the type.
    #[must_use]
    pub const fn type_name(&self) -> &'a str {
        self.type_name
    }

    /// Returns the name of the case.
    #[must_use]
    pub const fn name(&self) -> &'a str {
        self.name
    }

    /// Returns the number that decides which case it is.
    #[inline]
    #[must_use]
    pub const fn tag(&self) -> u32 {
        self.tag
    }

    /// Returns the payloads.
    #[must_use]
    pub fn payloads(&self) -> Children<'a, 'v> {
        self.payloads.clone()
    }

    /// Returns the payloads of a case that has exactly `N`.
    ///
    /// # Errors
    ///
    /// If there are more or fewer.
    #[inline]
    pub fn payloads_of<const N: usize>(&self) -> Result<[NodeRef<'a, 'v>; N], DecodeError> {
        let count = self.payloads.len();
        if count != N {
            return Err(self.node.wrong_count(N, count));
        }
        // The count has just been compared, so each place exists.
        Ok(core::array::from_fn(|place| self.payloads.get(place).unwrap_or(self.node)))
    }

    /// Makes the error for a tag that the type does not have.
    #[cold]
    #[must_use]
    pub fn unknown(&self) -> DecodeError {
        self.node.error(DecodeErrorKind::UnknownTag(self.tag))
    }
}

impl<'a, 'v> NodeRef<'a, 'v> {
    /// Reads the node as a record of this shape.
    ///
    /// # Errors
    ///
    /// If it is not a record, or has other fields and the shape is not forward compatible.
    #[inline]
    pub fn fields(self, shape: &'static RecordShape) -> Result<Fields<'a, 'v>, DecodeError> {
        self.expect(Kind::Record)?;
        if let Some(rest) = self.payload().strip_prefix(shape.head) {
            let (links, odd) = rest.as_chunks::<4>();
            if links.len() == shape.names.len() && odd.is_empty() {
                return Ok(Fields { node: self, links, names: None, shape });
            }
        }
        self.fields_by_name(shape)
    }

    #[inline(never)]
    fn fields_by_name(self, shape: &'static RecordShape) -> Result<Fields<'a, 'v>, DecodeError> {
        let record = self.record()?;
        if !shape.forward_compatible && record.links.len() != shape.names.len() {
            return Err(self.wrong_count(shape.names.len(), record.links.len()));
        }
        Ok(Fields { node: self, links: record.links, names: Some(record.names), shape })
    }

    /// Reads the node as a record of any shape.
    ///
    /// # Errors
    ///
    /// If it is not a record, or its names are not what its lengths say.
    pub fn record(self) -> Result<Record<'a, 'v>, DecodeError> {
        self.expect(Kind::Record)?;
        let mut cursor = self.cursor();
        let type_name = cursor.text()?;
        let count = cursor.u32()? as usize;
        let names = cursor;
        for _ in 0..count {
            cursor.text()?;
        }
        let links = cursor.links(count)?;
        Ok(Record { node: self, type_name, names, links })
    }

    /// Reads the node as a variant of any type.
    ///
    /// # Errors
    ///
    /// If it is not a variant, or its names are not UTF-8.
    #[inline]
    pub fn variant(self) -> Result<Case<'a, 'v>, DecodeError> {
        self.expect(Kind::Variant)?;
        let mut cursor = self.cursor();
        let type_name = cursor.text()?;
        let name = cursor.text()?;
        let tag = cursor.u32()?;
        Ok(Case { node: self, type_name, name, tag, payloads: self.children() })
    }

    /// Reads the node as a variant of which these cases are known, in order of declaration.
    ///
    /// A case that begins as its shape does has names that need no look; any other is read as it is, so the result
    /// is that of [`variant`](Self::variant).
    ///
    /// # Errors
    ///
    /// If it is not a variant, or its names are not UTF-8.
    #[cfg_attr(not(target_arch = "wasm32"), inline)]
    pub fn case(self, shapes: &'static [CaseShape]) -> Result<Case<'a, 'v>, DecodeError> {
        if cfg!(target_arch = "wasm32") {
            return self.variant();
        }
        self.expect(Kind::Variant)?;
        let payload = self.payload();
        let mut cursor = self.cursor();
        cursor.raw_text()?;
        cursor.raw_text()?;
        let tag = cursor.u32()?;
        match shapes.get(tag as usize) {
            Some(shape) if payload.starts_with(shape.head) => {
                let links = cursor.rest().split_first_chunk::<4>().map(|(_, links)| links.as_chunks::<4>().0);
                let payloads = self.linked(links.unwrap_or_default());
                Ok(Case { node: self, type_name: shape.type_name, name: shape.name, tag, payloads })
            }
            Some(_) | None => self.variant(),
        }
    }

    /// Reads the node as a tuple struct: elements by place.
    ///
    /// # Errors
    ///
    /// If it is not a tuple, or has more or fewer elements and `forward_compatible` is not set.
    pub fn elements(self, count: usize, forward_compatible: bool) -> Result<Elements<'a, 'v>, DecodeError> {
        let children = self.tuple()?;
        if !forward_compatible && children.len() != count {
            return Err(self.wrong_count(count, children.len()));
        }
        Ok(Elements { node: self, count, children })
    }
}

/// The elements of a tuple struct.
pub struct Elements<'a, 'v> {
    node: NodeRef<'a, 'v>,
    count: usize,
    children: Children<'a, 'v>,
}

impl<'a> Elements<'a, '_> {
    /// Reads the element at this place.
    ///
    /// # Errors
    ///
    /// If it is missing or of another type.
    pub fn get<T: Decode<'a>>(&self, place: usize) -> Result<T, DecodeError> {
        match self.children.get(place) {
            Some(node) => T::decode_node(node),
            None => Err(self.node.wrong_count(self.count, self.children.len())),
        }
    }

    /// Reads the element at this place, or makes its default if it is missing.
    ///
    /// # Errors
    ///
    /// If it is of another type.
    pub fn get_or_default<T: Decode<'a> + Default>(&self, place: usize) -> Result<T, DecodeError> {
        self.children.get(place).map_or_else(|| Ok(T::default()), T::decode_node)
    }
}

/// A record node of any shape.
pub struct Record<'a, 'v> {
    node: NodeRef<'a, 'v>,
    type_name: &'a str,
    names: Cursor<'a>,
    links: &'a [[u8; 4]],
}

impl<'a, 'v> Record<'a, 'v> {
    /// Returns the name of the type.
    #[must_use]
    pub const fn type_name(&self) -> &'a str {
        self.type_name
    }

    /// Returns the number of fields.
    #[must_use]
    pub const fn field_count(&self) -> usize {
        self.links.len()
    }

    /// Returns names and values of the fields.
    pub fn iter(&self) -> impl Iterator<Item = (&'a str, NodeRef<'a, 'v>)> + use<'a, 'v> {
        let (node, mut names) = (self.node, self.names);
        // `record` has read every name once, so none is lost here.
        self.links.iter().filter_map(move |link| Some((names.text().ok()?, node.at(*link))))
    }
}
