//! The interface files of Theater as text: the only copies, for macros, handlers and tests.

/// Every interface file: its name, as error messages show it, and its text.
pub const FILES: &[(&str, &str)] = &[
    ("theater-simple/actor.wit", include_str!("../theater-simple/actor.wit")),
    ("theater-simple/message-server.wit", include_str!("../theater-simple/message-server.wit")),
    ("theater-simple/runtime.wit", include_str!("../theater-simple/runtime.wit")),
    ("theater-simple/supervisor.wit", include_str!("../theater-simple/supervisor.wit")),
    ("theater-simple/types.wit", include_str!("../theater-simple/types.wit")),
    ("theater-simple/worlds.wit", include_str!("../theater-simple/worlds.wit")),
];

#[cfg(test)]
mod tests {
    use super::FILES;

    #[test]
    fn every_interface_file_is_listed() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/theater-simple");
        let mut found: Vec<String> = std::fs::read_dir(folder)
            .expect("the folder of interface files")
            .map(|entry| format!("theater-simple/{}", entry.expect("an entry").file_name().to_string_lossy()))
            .collect();
        found.sort();
        let listed: Vec<&str> = FILES.iter().map(|(name, _)| *name).collect();
        assert_eq!(found, listed);
    }
}
