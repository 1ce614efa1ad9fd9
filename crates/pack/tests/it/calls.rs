//! Calls that go well: every size of input, result and reply, waits, errors of the guest.

use pack::{ImportStep, PackInstance};

use crate::support::{Heard, Listener, call, guest, start};

#[tokio::test]
async fn inputs_of_every_size_come_back_unchanged() {
    let mut instance = start(&guest(""), Listener::echo()).await;
    for size in [0, 1, 64, 1023, 1024, 1025, 4096, 65_535, 65_536, 65_537, 1 << 20, 3, 0] {
        let input: Vec<u8> = (0..size).map(|i| u8::try_from(i % 251).unwrap()).collect();
        assert_eq!(call(&mut instance, "echo", &input).await.unwrap(), input, "{size} bytes");
    }
    let heard = &instance.boundary().heard;
    assert_eq!(heard.len(), 26);
    assert_eq!(heard[2..4], [Heard::Enter(0, vec![0]), Heard::Returned(vec![0])]);
}

#[tokio::test]
async fn replies_of_every_size_reach_the_guest() {
    for (size, status) in [(0, 0), (1, 0), (64, 0), (4096, 0), (4097, 1), (1 << 20, 1)] {
        let mut instance = start(&guest(""), Listener::sized(size)).await;
        assert_eq!(call(&mut instance, "forward", b"q").await.unwrap(), vec![7; size], "{size} bytes");
        assert_eq!(instance.boundary().heard[1], Heard::Import(0, b"q".to_vec()));
        // The second call finds everything in place.
        assert_eq!(call(&mut instance, "forward", b"r").await.unwrap(), vec![7; size]);
        let status_of_import = guest_u32(&mut instance, 64).await;
        assert_eq!(status_of_import, status, "{size} bytes");
    }
}

/// Reads a word of guest memory through the guest.
async fn guest_u32(instance: &mut PackInstance<Listener>, address: u32) -> u32 {
    let bytes = call(instance, "peek", &address.to_le_bytes()).await.unwrap();
    u32::from_le_bytes(bytes.try_into().unwrap())
}

#[tokio::test]
async fn a_waiting_import_goes_on_with_its_answer() {
    let listener = Listener::new(|input, _| {
        let answer = [input, b"!"].concat();
        ImportStep::Wait(Box::pin(async move {
            tokio::task::yield_now().await;
            answer
        }))
    });
    let mut instance = start(&guest(""), listener).await;
    assert_eq!(call(&mut instance, "forward", b"hello").await.unwrap(), b"hello!");
    assert_eq!(
        instance.boundary().heard,
        [
            Heard::Enter(1, b"hello".to_vec()),
            Heard::Import(0, b"hello".to_vec()),
            Heard::Resume(b"hello!".to_vec()),
            Heard::Returned(b"hello!".to_vec()),
        ]
    );
}
