//! Drives a guest that parked: waits for the answer of its call in flight and resumes it, until the call is done.

use wasmtime::Store;

use crate::boundary::{Boundary, BoundaryFuture, ImportCall, ImportIndex, ImportStep, Waiting};
use crate::call::{Guest, Resume};
use crate::host::{Flight, Host, Inside, checked};
use crate::import::STATUS_PENDING;
use crate::trap::{Refusal, Stopped};

impl Guest {
    /// Resumes the guest until it does not park again, and returns its status.
    pub(crate) async fn pump<B: Boundary>(
        &self,
        store: &mut Store<Host<B>>,
        resume: &Resume,
        slots: u32,
    ) -> wasmtime::Result<i32> {
        if !store.data().can_park {
            return Err(Refusal::BadStatus.into());
        }
        let mut status = STATUS_PENDING;
        while status == STATUS_PENDING {
            let Some(Flight { id, function, answer }) = store.data_mut().flight.take() else {
                return Err(Refusal::NothingInFlight.into());
            };
            land(store, function, answer).await?;
            let (pointer, length) = self.place_answer(store, slots).await?;
            self.zero_slots(store, slots)?;
            store.data_mut().inside = Inside::Guest;
            status = resume.call_async(&mut *store, (id, pointer, length, slots, slots + 4)).await?;
            if length > 0 {
                self.release(store, (pointer, length)).await?;
            }
        }
        Ok(status)
    }

    /// Puts the answer, which is in the reply buffer, where the guest can read it.
    async fn place_answer<B: Boundary>(
        &self,
        store: &mut Store<Host<B>>,
        slots: u32,
    ) -> wasmtime::Result<(u32, u32)> {
        let Ok(length) = u32::try_from(store.data().reply.len()) else {
            return Err(Refusal::AllocFailed.into());
        };
        if length == 0 {
            return Ok((slots, 0));
        }
        let pointer = self.allocate(store, length).await?;
        let (memory, host) = self.memory.data_and_store_mut(store);
        let range = checked(memory, pointer, length)?;
        memory[range].copy_from_slice(&host.reply);
        Ok((pointer, length))
    }
}

/// Waits for the answer of the call in flight and leaves it, encoded, in the reply buffer.
async fn land<B: Boundary>(
    store: &mut Store<Host<B>>,
    function: ImportIndex,
    mut future: BoundaryFuture<B::Answer>,
) -> wasmtime::Result<()> {
    loop {
        store.data_mut().pending = Some(function);
        let answer = future.await;
        store.data_mut().pending = None;
        let left = store.get_fuel()?;
        let host = store.data_mut();
        let fuel_used = host.fuel.saturating_sub(left);
        let call = ImportCall { function, input: &[], fuel_used, waiting: Waiting::GoesOn };
        host.reply.clear();
        match host.boundary.resume(call, answer, &mut host.reply) {
            ImportStep::Reply => return Ok(()),
            ImportStep::Refused => {
                host.reply.clear();
                return Ok(());
            }
            ImportStep::Wait(again) | ImportStep::Pause(again) => future = again,
            ImportStep::Stop(stop) => {
                host.stop = Some(stop);
                return Err(Stopped.into());
            }
        }
    }
}
