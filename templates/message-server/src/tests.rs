//! What the actor does, tested on this machine without wasm: the test plays the host.

use theater_guest::testing::Host;

use super::{Component, MessageServerClient, Notebook};

fn kept(notes: &[&str], listeners: &[&str]) -> Notebook {
    let owned = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
    Notebook { notes: owned(notes), listeners: owned(listeners) }
}

#[test]
fn a_note_is_kept_and_told_to_listeners() {
    let host = Host::new().on(
        "theater:simple/message-server-host.send-on-channel",
        |(channel, note): (String, Vec<u8>)| -> Result<(), String> {
            assert_eq!((channel.as_str(), note.as_slice()), ("root#1:7", b"buy milk".as_slice()));
            Ok(())
        },
    );
    let before = kept(&[], &["root#1:7"]).write().unwrap();
    let (after,) = host.run(|| Component::handle_send(before, (b"buy milk".to_vec(),))).unwrap();
    assert_eq!(Notebook::read(after), Ok(kept(&["buy milk"], &["root#1:7"])));
}

#[test]
fn a_question_is_answered_in_json() {
    let state = kept(&["buy milk", "call Ada"], &[]).write().unwrap();
    let ask = |question: &str| {
        let params = ("root#1:7".to_owned(), question.as_bytes().to_vec());
        let (_, (answer,)) = Component::handle_request(state.clone(), params)?;
        Ok::<_, String>(String::from_utf8(answer.unwrap_or_default()).unwrap())
    };
    assert_eq!(ask(r#"{"do": "list"}"#).as_deref(), Ok(r#"["buy milk","call Ada"]"#));
    assert_eq!(ask(r#"{"do": "find", "text": "Ada"}"#).as_deref(), Ok(r#"["call Ada"]"#));
    assert!(ask("list").is_err());
}

#[test]
fn a_listener_is_forgotten_when_its_channel_is_closed() {
    let (opened, (accept,)) = Component::handle_channel_open(None, ("c".to_owned(), Vec::new())).unwrap();
    assert!(accept.accepted);
    assert_eq!(Notebook::read(opened.clone()), Ok(kept(&[], &["c"])));
    let (closed,) = Component::handle_channel_close(opened, ("c".to_owned(),)).unwrap();
    assert_eq!(Notebook::read(closed), Ok(kept(&[], &[])));
}
