//! What the actors of one package begin with alike. Thousands are started from it, and its texts are most of a genesis.

use std::ops::Deref;
use std::sync::Arc;

use pack_abi::{Value, WireType};

use crate::fields::{byte_list, bytes, list, named, pair, pair_type, text, text_pairs};
use crate::hash::Hash;
use crate::record::FunctionEntry;

/// The part of a genesis that comes from the package, its manifest and the engine.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Setting {
    /// The function table.
    pub functions: Vec<FunctionEntry>,
    /// Names and structural hashes of the interfaces.
    pub interfaces: Vec<(String, Hash)>,
    /// What must be the same for a replay to be the same.
    pub fingerprint_semantic: Vec<(String, String)>,
    /// What is told to people.
    pub fingerprint_descriptive: Vec<(String, String)>,
    /// Every limit that can end a call.
    pub limits: Vec<(String, u64)>,
}

/// A setting with the values that it is written as. Clones share both.
#[derive(Clone, Debug)]
pub struct SharedSetting(Arc<(Setting, [(&'static str, Value); 5])>);

impl SharedSetting {
    /// The fields of the record, in their order.
    pub(crate) fn fields(&self) -> impl Iterator<Item = (&'static str, Value)> {
        self.0.1.iter().cloned()
    }
}

impl From<Setting> for SharedSetting {
    fn from(setting: Setting) -> Self {
        let functions = setting.functions.iter().map(FunctionEntry::to_value).collect();
        let interfaces = setting.interfaces.iter().map(|(name, hash)| pair(text(name), bytes(&hash.0)));
        let limits = setting.limits.iter().map(|(name, limit)| pair(text(name), Value::U64(*limit)));
        let fields = [
            ("functions", list(named("function"), functions)),
            ("interfaces", list(pair_type(byte_list()), interfaces.collect())),
            ("fingerprint-semantic", text_pairs(&setting.fingerprint_semantic)),
            ("fingerprint-descriptive", text_pairs(&setting.fingerprint_descriptive)),
            ("limits", list(pair_type(WireType::U64), limits.collect())),
        ];
        Self(Arc::new((setting, fields)))
    }
}

impl Deref for SharedSetting {
    type Target = Setting;

    fn deref(&self) -> &Setting {
        &self.0.0
    }
}

impl PartialEq for SharedSetting {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl Eq for SharedSetting {}
