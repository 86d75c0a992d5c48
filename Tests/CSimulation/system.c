#include "machine.h"
#include <pthread.h>
#include <stdarg.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

// What programs ask of the C library and of libdispatch: time, chance, threads, queues, locks.

// MARK: Time and chance

/// 2027-01-15T08:00:00Z.
static const uint64_t wall_start = 1800000000ull * 1000000000ull;

int64_t simulation_wall_clock(int process) {
    return (int64_t)(here->now + wall_start) + here->processes[process].clock;
}

int clock_gettime(clockid_t clock, struct timespec *time) {
    if (!here) return REAL(clock_gettime)(clock, time);
    uint64_t now = here->now;
    if (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)
        now += wall_start + (uint64_t)here->processes[here->current].clock;
    time->tv_sec = (time_t)(now / 1000000000);
    time->tv_nsec = (long)(now % 1000000000);
    return 0;
}

/// Swift's random numbers come from here.
long syscall(long number, ...) {
    va_list list;
    long a[6];
    va_start(list, number);
    for (int i = 0; i < 6; i++) a[i] = va_arg(list, long);
    va_end(list);
    if (!here || number != SYS_getrandom) return REAL(syscall)(number, a[0], a[1], a[2], a[3], a[4], a[5]);
    for (long done = 0; done < a[1];) {
        uint64_t bits = next_random(&here->luck);
        long part = a[1] - done < 8 ? a[1] - done : 8;
        memcpy((char *)a[0] + done, &bits, (size_t)part);
        done += part;
    }
    return a[1];
}

int getentropy(void *bytes, size_t count) {
    if (!here) return REAL(getentropy)(bytes, count);
    for (size_t done = 0; done < count;) {
        uint64_t bits = next_random(&here->luck);
        size_t part = count - done < 8 ? count - done : 8;
        memcpy((char *)bytes + done, &bits, part);
        done += part;
    }
    return 0;
}

// MARK: libdispatch

extern void dispatch_sync(void *queue, void *block);
extern void dispatch_retain(void *object);
extern const char *dispatch_queue_get_label(void *queue);
extern void *_Block_copy(const void *block);
extern void _Block_release(const void *block);

typedef struct {
    void *queue, *block;
    int process;
} dispatched;

void dispatch_release(void *object);

static void run_block(void *context) {
    dispatched work = *(dispatched *)context;
    free(context);
    here->current = work.process;
    // What this one asks for comes before what was asked for earlier: a reader is given back before the next is wanted.
    events outer = here->urgent;
    here->urgent = (events){0};
    dispatch_sync(work.queue, work.block);
    _Block_release(work.block);
    dispatch_release(work.queue);
    for (size_t i = 0; i < here->urgent.count; i++) {
        event next = here->urgent.items[i];
        next.run(next.context);
        here->current = work.process;
    }
    free(here->urgent.items);
    here->urgent = outer;
}

/// Queues have no threads here. Writers may gather on the store's own queue for a while; everything else is done next.
void dispatch_async(void *queue, void *block) {
    if (!here) return REAL(dispatch_async)(queue, block);
    dispatched *work = malloc(sizeof *work);
    dispatch_retain(queue);
    *work = (dispatched){queue, _Block_copy(block), here->current};
    const char *label = dispatch_queue_get_label(queue);
    if (label && strcmp(label, "martlet.commit") == 0) return make_ready(here->current, run_block, work);
    push(&here->urgent, (event){0, 0, here->current, run_block, work});
}

// MARK: Timers of Swift's global executor

typedef struct {
    uint64_t magic, when;
    void *context;
    action handler;
} timer;

static const uint64_t timer_magic = 0x6d6172746c657421;

static bool is_timer(void *object) { return here && object && *(uint64_t *)object == timer_magic; }

/// The top bit says that the time is of the monotonic clock.
static void after(uint64_t when, void *context, action handler) { schedule(when & INT64_MAX, handler, context); }

void dispatch_after_f(uint64_t when, void *queue, void *context, action handler) {
    if (!here) return REAL(dispatch_after_f)(when, queue, context, handler);
    after(when, context, handler);
}

void *dispatch_source_create(const void *type, uintptr_t handle, uintptr_t mask, void *queue) {
    if (!here) return REAL(dispatch_source_create)(type, handle, mask, queue);
    timer *made = calloc(1, sizeof *made);
    made->magic = timer_magic;
    return made;
}

void dispatch_source_set_timer(void *source, uint64_t start, uint64_t interval, uint64_t leeway) {
    if (!is_timer(source)) return REAL(dispatch_source_set_timer)(source, start, interval, leeway);
    ((timer *)source)->when = start;
}

void dispatch_set_context(void *object, void *context) {
    if (!is_timer(object)) return REAL(dispatch_set_context)(object, context);
    ((timer *)object)->context = context;
}

void dispatch_source_set_event_handler_f(void *source, action handler) {
    if (!is_timer(source)) return REAL(dispatch_source_set_event_handler_f)(source, handler);
    ((timer *)source)->handler = handler;
}

void dispatch_activate(void *object) {
    if (!is_timer(object)) return REAL(dispatch_activate)(object);
    timer *made = object;
    after(made->when, made->context, made->handler);
}

void dispatch_release(void *object) {
    if (!is_timer(object)) return REAL(dispatch_release)(object);
    free(object);
}

// MARK: Locks on files

typedef struct {
    dev_t device;
    ino_t inode;
    int fd, process;
} lock;

enum { most_locks = 256 };
static __thread lock locks[most_locks];
static __thread int lock_count;
/// Files whose locks went with their process: its code may be on its way out and still close them.
static __thread int *orphans;
static __thread size_t orphan_count;

void simulation_break_locks(bool broken) { here->locks_are_broken = broken; }

int flock(int fd, int operation) {
    if (!here) return REAL(flock)(fd, operation);
    // The dead take no locks: nobody would give them back.
    if (!is_alive(here->current)) {
        errno = EWOULDBLOCK;
        return -1;
    }
    if (here->locks_are_broken) return 0;
    struct stat status;
    if (fstat(fd, &status) != 0) return -1;
    for (int i = 0; i < lock_count; i++) {
        if (locks[i].device != status.st_dev || locks[i].inode != status.st_ino) continue;
        if (operation & LOCK_UN) {
            locks[i] = locks[--lock_count];
            return 0;
        }
        errno = EWOULDBLOCK;
        return -1;
    }
    if (operation & LOCK_UN) return 0;
    if (lock_count == most_locks) abort();
    locks[lock_count++] = (lock){status.st_dev, status.st_ino, fd, here->current};
    return 0;
}

int simulation_lock_holder(const char *path) {
    struct stat status;
    if (stat(path, &status) != 0) return 0;
    for (int i = 0; i < lock_count; i++) {
        if (locks[i].device == status.st_dev && locks[i].inode == status.st_ino) return locks[i].process;
    }
    return 0;
}

int close(int fd) {
    if (here) {
        for (int i = 0; i < lock_count; i++) {
            if (locks[i].fd == fd) locks[i--] = locks[--lock_count];
        }
        for (size_t i = 0; i < orphan_count; i++) {
            if (orphans[i] == fd) orphans[i--] = orphans[--orphan_count];
        }
    }
    return REAL(close)(fd);
}

/// The kernel lets go the instant a process dies.
void locks_forget(int process) {
    for (int i = 0; i < lock_count; i++) {
        if (locks[i].process != process) continue;
        orphans = realloc(orphans, (orphan_count + 1) * sizeof *orphans);
        orphans[orphan_count++] = locks[i].fd;
        locks[i--] = locks[--lock_count];
    }
}

void locks_end(void) {
    for (size_t i = 0; i < orphan_count; i++) REAL(close)(orphans[i]);
    free(orphans);
    orphans = NULL;
    orphan_count = 0;
}

// MARK: libcurl, which nobody uses in here: a client that waits for work waits for ever

void *curl_multi_init(void) { return here ? malloc(1) : REAL(curl_multi_init)(); }
int curl_multi_wakeup(void *multi) { return here ? 0 : REAL(curl_multi_wakeup)(multi); }
int curl_multi_poll(void *multi, void *extra, unsigned count, int timeout, int *ready) {
    if (!here) return REAL(curl_multi_poll)(multi, extra, count, timeout, ready);
    wait_for(NULL, 0, UINT64_MAX);
    return 0;
}
