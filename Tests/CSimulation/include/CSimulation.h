#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// A simulated machine for one thread: what Swift's concurrency runtime, libdispatch, libzmq, SQLite and the C library are
// asked for on that thread is answered from here, out of one seed. Other threads of the test process notice nothing.
//
// "Process" means a simulated process: everything that a call makes belongs to the process that made it, and dies with it.

// MARK: Time, chance, life

/// Begins a simulation on this thread. At most one on a thread.
void simulation_begin(uint64_t seed);
/// Ends it; whatever was still to come never happens.
void simulation_end(void);
/// Does the next thing; `false` when nothing is left to do before `until` (nanoseconds), where the clock then stands.
bool simulation_step(uint64_t until);
/// Nanoseconds since the simulation began.
uint64_t simulation_now(void);
/// Sums up everything that has happened; equal for equal runs.
uint64_t simulation_digest(void);
void simulation_note(const void *bytes, size_t count);
uint64_t simulation_steps(void);
/// After so many steps nothing happens any more, time only passes: what spins comes to an end.
void simulation_limit(uint64_t steps);
bool simulation_is_exhausted(void);

// MARK: Processes

/// A new process; code that is called after `simulation_enter` with it belongs to it.
int simulation_spawn(void);
void simulation_enter(int process);
int simulation_current(void);
/// As `kill -9`: nothing of it runs any more, its sockets and locks are gone, what it wrote to files stays.
void simulation_kill(int process);
bool simulation_is_alive(int process);
/// As SIGSTOP and SIGCONT.
void simulation_stop(int process);
void simulation_continue(int process);
/// How far its wall clock is off, in nanoseconds. The monotonic clock cannot be set.
void simulation_set_clock(int process, int64_t offset);
/// Nanoseconds since 1970, as it has them.
int64_t simulation_wall_clock(int process);
/// Cuts it off the network, or plugs it in again.
void simulation_unplug(int process, bool unplugged);

// MARK: Network

typedef struct {
    /// Of 65,536 messages on the feed.
    uint32_t lost, repeated, late;
    /// Of 65,536 requests and answers.
    uint32_t requests_lost;
    /// Nanoseconds on the way: at least, and at most beyond that; `late` messages up to `lateness` more.
    uint64_t latency, jitter, lateness;
    /// Messages that one connection holds before it is full.
    uint32_t room;
} simulation_network;

void simulation_set_network(simulation_network network);
/// Messages that were sent, and that were lost on purpose.
uint64_t simulation_sent(void);
uint64_t simulation_lost(void);

// MARK: Disk, where SQLite keeps its files

/// The `nth` write or sync of this process (from 1 on) fails with an SQLite result code.
void simulation_disk_fail(int process, uint32_t nth, int code);
/// The process dies at its `nth` write or sync (from 1 on), after it was done or instead.
void simulation_disk_kill(int process, uint32_t nth, bool done);
/// Whether files may grow.
void simulation_disk_full(bool full);
/// Loses what was not synced; each lost write stays with a probability of `kept` in 65,536.
void simulation_power_cut(uint32_t kept);
/// Whether the wish of `simulation_disk_fail` or `simulation_disk_kill` is still to come.
bool simulation_disk_is_armed(int process);
/// Makes a file that is on the disk since long ago.
void simulation_disk_write(const char *path, const void *bytes, size_t count);
/// A copy of all files whose path begins so; `simulation_disk_put` writes them back, and removes others.
typedef struct simulation_image simulation_image;
simulation_image *simulation_disk_copy(const char *prefix);
void simulation_disk_put(const simulation_image *image);
void simulation_image_free(simulation_image *image);
uint64_t simulation_disk_syncs(void);

// MARK: Locks on files, which are the real ones by name

/// The process that holds the lock on this file; 0: nobody does.
int simulation_lock_holder(const char *path);

// MARK: What the checkers have to notice

/// Syncs are promised and not done.
void simulation_let_disk_lie(bool lies);
/// A lock on a file is given to whoever asks.
void simulation_break_locks(bool broken);
