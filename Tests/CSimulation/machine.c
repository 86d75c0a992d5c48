#include "machine.h"

// The scheduler: one thing after the other, what is ready in an order drawn from the seed.

__thread machine *here;

/// Never zero: for libdispatch that means now.
static const uint64_t beginning = 1000ull * 1000000000;

uint64_t next_random(uint64_t *state) {
    uint64_t z = (*state += 0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
}

uint64_t chance_below(uint64_t bound) { return bound ? next_random(&here->chance) % bound : 0; }
bool chance_of(uint32_t in_65536) { return in_65536 && (next_random(&here->chance) & 0xffff) < in_65536; }

void note(uint64_t value) {
    here->digest = (here->digest ^ value) * 0x100000001b3;
    here->digest ^= here->digest >> 29;
}

void simulation_note(const void *bytes, size_t count) {
    for (size_t i = 0; i < count; i++) note(((const uint8_t *)bytes)[i]);
}

void push(events *list, event item) {
    if (list->count == list->room) {
        list->room = list->room ? list->room * 2 : 64;
        list->items = realloc(list->items, list->room * sizeof(event));
    }
    list->items[list->count++] = item;
}

// MARK: Timers, a binary heap

static bool before(const event *a, const event *b) { return a->at != b->at ? a->at < b->at : a->tie < b->tie; }

static void heap_push(events *heap, event item) {
    push(heap, item);
    size_t i = heap->count - 1;
    while (i > 0 && before(&heap->items[i], &heap->items[(i - 1) / 2])) {
        event swap = heap->items[i];
        heap->items[i] = heap->items[(i - 1) / 2];
        heap->items[(i - 1) / 2] = swap;
        i = (i - 1) / 2;
    }
}

static event heap_pop(events *heap) {
    event top = heap->items[0];
    heap->items[0] = heap->items[--heap->count];
    size_t i = 0;
    while (true) {
        size_t least = i, left = 2 * i + 1, right = left + 1;
        if (left < heap->count && before(&heap->items[left], &heap->items[least])) least = left;
        if (right < heap->count && before(&heap->items[right], &heap->items[least])) least = right;
        if (least == i) return top;
        event swap = heap->items[i];
        heap->items[i] = heap->items[least];
        heap->items[least] = swap;
        i = least;
    }
}

void schedule_for(int process, uint64_t at, action run, void *context) {
    if (!is_alive(process)) return;
    heap_push(&here->timers, (event){at, next_random(&here->chance), process, run, context});
}

void schedule(uint64_t at, action run, void *context) { schedule_for(here->current, at, run, context); }

void make_ready(int process, action run, void *context) {
    if (is_alive(process)) push(&here->ready, (event){here->now, 0, process, run, context});
}

// MARK: Steps

/// What a stopped process has to do waits for it.
static bool is_held(const event *item) {
    if (!here->processes[item->process].stopped) return false;
    push(&here->processes[item->process].held, *item);
    return true;
}

static void run(event item) {
    here->current = item.process;
    here->steps++;
    // Everything takes a little time, so that nothing can spin for ever within one moment.
    here->now += 1000;
    note(here->now ^ (uint64_t)item.process << 48);
    item.run(item.context);
    while (here->urgent.count > 0) {
        events blocks = here->urgent;
        here->urgent = (events){0};
        for (size_t i = 0; i < blocks.count; i++) blocks.items[i].run(blocks.items[i].context);
        free(blocks.items);
    }
    here->current = 0;
}

bool simulation_step(uint64_t until) {
    machine *m = here;
    until += beginning;
    if (simulation_is_exhausted()) {
        if (m->now < until) m->now = until;
        return false;
    }
    while (m->ready.count > 0) {
        if (m->now >= until) return false;
        size_t i = chance_below(m->ready.count);
        event item = m->ready.items[i];
        m->ready.items[i] = m->ready.items[--m->ready.count];
        if (!is_alive(item.process) || is_held(&item)) continue;
        run(item);
        return true;
    }
    while (m->timers.count > 0 && m->timers.items[0].at <= until) {
        event item = heap_pop(&m->timers);
        if (!is_alive(item.process) || is_held(&item)) continue;
        if (item.at > m->now) m->now = item.at;
        run(item);
        return true;
    }
    if (m->now < until) m->now = until;
    return false;
}

// MARK: Life

static void hooks_install(void);

void simulation_begin(uint64_t seed) {
    hooks_install();
    machine *m = calloc(1, sizeof(machine));
    m->now = beginning;
    m->seed = seed;
    m->chance = seed;
    m->luck = seed ^ 0x5eed;
    m->digest = 0xcbf29ce484222325;
    m->limit = UINT64_MAX;
    // Process 0 is the scenario itself.
    m->processes = calloc(1, sizeof(process));
    m->processes[0].alive = true;
    m->process_count = 1;
    m->faults = (simulation_network){.latency = 50000, .jitter = 200000, .room = 4000};
    here = m;
    network_begin();
    disk_begin();
    threads_begin();
}

void simulation_end(void) {
    machine *m = here;
    for (int i = 1; i < m->process_count; i++) simulation_kill(i);
    threads_end();
    network_end();
    disk_end();
    locks_end();
    for (int i = 0; i < m->process_count; i++) free(m->processes[i].held.items);
    free(m->processes);
    free(m->ready.items);
    free(m->timers.items);
    free(m->urgent.items);
    here = NULL;
    free(m);
}

uint64_t simulation_now(void) { return here->now - beginning; }
uint64_t simulation_digest(void) { return here->digest; }
uint64_t simulation_steps(void) { return here->steps; }
void simulation_limit(uint64_t steps) { here->limit = steps; }
bool simulation_is_exhausted(void) { return here->steps >= here->limit; }

int simulation_spawn(void) {
    machine *m = here;
    m->processes = realloc(m->processes, (m->process_count + 1) * sizeof(process));
    m->processes[m->process_count] = (process){.alive = true};
    return m->process_count++;
}

void simulation_enter(int process) { here->current = process; }
int simulation_current(void) { return here->current; }
bool is_alive(int process) { return here->processes[process].alive; }
bool simulation_is_alive(int process) { return is_alive(process); }

void simulation_kill(int process) {
    if (process == 0 || !is_alive(process)) return;
    note(0xdead ^ (uint64_t)process << 20);
    here->processes[process].alive = false;
    threads_forget(process);
    network_forget(process);
    disk_forget(process);
    locks_forget(process);
}

void simulation_stop(int process) { here->processes[process].stopped = true; }

void simulation_continue(int process) {
    here->processes[process].stopped = false;
    events held = here->processes[process].held;
    here->processes[process].held = (events){0};
    for (size_t i = 0; i < held.count; i++) push(&here->ready, held.items[i]);
    free(held.items);
}

void simulation_set_clock(int process, int64_t offset) { here->processes[process].clock = offset; }

// MARK: Swift's jobs

typedef struct {
    void *identity, *implementation;
} executor;
extern SWIFT void swift_job_run(void *job, executor executor);
typedef SWIFT void (*enqueue)(void *job);
typedef SWIFT void (*enqueue_delayed)(unsigned long long delay, void *job);
typedef SWIFT void (*enqueue_until)(
    long long seconds, long long nanoseconds, long long tolerance, long long fraction, int clock, void *job);

static void run_job(void *job) { swift_job_run(job, (executor){NULL, NULL}); }

static SWIFT void on_enqueue(void *job, enqueue original) {
    if (!here) return original(job);
    make_ready(here->current, run_job, job);
}

static SWIFT void on_enqueue_delayed(unsigned long long delay, void *job, enqueue_delayed original) {
    if (!here) return original(delay, job);
    schedule(here->now + delay, run_job, job);
}

static SWIFT void on_enqueue_until(
    long long seconds, long long nanoseconds, long long tolerance, long long fraction, int clock, void *job,
    enqueue_until original) {
    if (!here) return original(seconds, nanoseconds, tolerance, fraction, clock, job);
    schedule((uint64_t)seconds * 1000000000 + (uint64_t)nanoseconds, run_job, job);
}

/// The hooks stay for good: on other threads they only pass on.
static void hooks_install(void) {
    static bool installed;
    if (installed) return;
    installed = true;
    // The testing library takes a backtrace of every error thrown, handled or not: a third of the time.
    *(void **)dlsym(RTLD_DEFAULT, "_swift_willThrow") = NULL;
    *(void **)dlsym(RTLD_DEFAULT, "_swift_willThrowTypedImpl") = NULL;
    *(void **)dlsym(RTLD_DEFAULT, "swift_task_enqueueGlobal_hook") = (void *)on_enqueue;
    *(void **)dlsym(RTLD_DEFAULT, "swift_task_enqueueGlobalWithDelay_hook") = (void *)on_enqueue_delayed;
    *(void **)dlsym(RTLD_DEFAULT, "swift_task_enqueueGlobalWithDeadline_hook") = (void *)on_enqueue_until;
}

/// Sets and dictionaries are ordered by their place in memory otherwise. Before the first one of this binary is made.
__attribute__((constructor)) static void hash_alike(void) {
    struct {
        uint64_t seeds[2];
        bool deterministic;
    } *parameters = dlsym(RTLD_DEFAULT, "_swift_stdlib_Hashing_parameters");
    if (!parameters) return;
    parameters->seeds[0] = parameters->seeds[1] = 0;
    parameters->deterministic = true;
}
