#include "machine.h"
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <ucontext.h>

// Threads that a program makes run as fibers on the simulation's own thread, until they wait for something.

enum { stack_bytes = 512 * 1024, most_waits = 16 };

typedef struct thread {
    ucontext_t context;
    void *stack;
    void *(*start)(void *);
    void *argument;
    int process;
    const void *waits[most_waits];
    size_t wait_count;
    uint64_t wait_number;
    bool is_waiting, has_ended;
    struct thread *next;
} thread;

typedef struct {
    int process;
    uint64_t count;
} counter;

struct threads {
    thread *all, *running;
    ucontext_t scheduler;
    counter *counters;
    int counter_count;
    void *spare[64];
    int spare_count;
    /// Of all threads together: one may come to the place in memory of another that ended.
    uint64_t waits;
};

void threads_begin(void) { here->threads = calloc(1, sizeof(threads)); }

static void end(thread *ended) {
    threads *t = here->threads;
    if (t->spare_count < 64) {
        t->spare[t->spare_count++] = ended->stack;
    } else {
        munmap(ended->stack, stack_bytes);
    }
    free(ended);
}

void threads_end(void) {
    threads *t = here->threads;
    for (thread *one = t->all, *next; one; one = next) {
        next = one->next;
        end(one);
    }
    for (int i = 0; i < t->spare_count; i++) munmap(t->spare[i], stack_bytes);
    free(t->counters);
    free(t);
}

void threads_forget(int process) {
    threads *t = here->threads;
    for (thread **link = &t->all; *link;) {
        thread *one = *link;
        // The one that runs now must get to its end by itself.
        if (one->process == process && one != t->running) {
            *link = one->next;
            end(one);
        } else {
            link = &one->next;
        }
    }
}

static void main_of_thread(void) {
    threads *t = here->threads;
    t->running->start(t->running->argument);
    t->running->has_ended = true;
    swapcontext(&t->running->context, &t->scheduler);
}

static bool exists(thread *wanted) {
    for (thread *one = here->threads->all; one; one = one->next) {
        if (one == wanted) return true;
    }
    return false;
}

static void resume(void *context) {
    threads *t = here->threads;
    thread *one = context;
    if (!exists(one)) return;
    t->running = one;
    swapcontext(&t->scheduler, &one->context);
    t->running = NULL;
    if (!one->has_ended && is_alive(one->process)) return;
    for (thread **link = &t->all; *link; link = &(*link)->next) {
        if (*link != one) continue;
        *link = one->next;
        break;
    }
    end(one);
}

static bool is_of_foundation(void *address) {
    Dl_info found;
    return dladdr(address, &found) && found.dli_fname && strstr(found.dli_fname, "libFoundation");
}

int pthread_create(
    pthread_t *restrict made, const pthread_attr_t *restrict attributes, void *(*start)(void *),
    void *restrict argument) {
    if (!here || !is_of_foundation(__builtin_return_address(0)))
        return REAL(pthread_create)(made, attributes, start, argument);
    threads *t = here->threads;
    thread *one = calloc(1, sizeof *one);
    one->stack = t->spare_count > 0
                     ? t->spare[--t->spare_count]
                     : mmap(NULL, stack_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    one->start = start;
    one->argument = argument;
    one->process = here->current;
    one->next = t->all;
    t->all = one;
    getcontext(&one->context);
    one->context.uc_stack.ss_sp = one->stack;
    one->context.uc_stack.ss_size = stack_bytes;
    makecontext(&one->context, main_of_thread, 0);
    make_ready(one->process, resume, one);
    *made = pthread_self();
    return 0;
}

// MARK: Waiting

typedef struct {
    thread *thread;
    uint64_t number;
} deadline;

static void time_is_over(void *context) {
    deadline over = *(deadline *)context;
    free(context);
    if (!exists(over.thread) || !over.thread->is_waiting || over.thread->wait_number != over.number) return;
    over.thread->is_waiting = false;
    resume(over.thread);
}

bool wait_for(const void **what, size_t count, uint64_t until) {
    threads *t = here->threads;
    thread *one = t->running;
    if (!one) return false;
    if (count > most_waits) abort();
    memcpy(one->waits, what, count * sizeof *what);
    one->wait_count = count;
    one->wait_number = ++t->waits;
    one->is_waiting = true;
    if (until != UINT64_MAX) {
        deadline *over = malloc(sizeof *over);
        *over = (deadline){one, one->wait_number};
        schedule_for(one->process, until, time_is_over, over);
    }
    swapcontext(&one->context, &t->scheduler);
    return true;
}

void wake_waiters(const void *what) {
    for (thread *one = here->threads->all; one; one = one->next) {
        if (!one->is_waiting) continue;
        for (size_t i = 0; i < one->wait_count; i++) {
            if (one->waits[i] != what) continue;
            one->is_waiting = false;
            make_ready(one->process, resume, one);
            break;
        }
    }
}

// MARK: eventfd

enum { first_fd = 1 << 24 };

int eventfd(unsigned int initial, int flags) {
    if (!here) return REAL(eventfd)(initial, flags);
    threads *t = here->threads;
    t->counters = realloc(t->counters, (t->counter_count + 1) * sizeof(counter));
    t->counters[t->counter_count] = (counter){here->current, initial};
    return first_fd + t->counter_count++;
}

static counter *counter_of(int fd) {
    if (!here || fd < first_fd || fd - first_fd >= here->threads->counter_count) return NULL;
    return &here->threads->counters[fd - first_fd];
}

/// Not the counter's own place, which may move.
void *eventfd_of(int fd) { return (void *)(intptr_t)fd; }
bool eventfd_is_readable(int fd) {
    counter *found = counter_of(fd);
    return found && found->count > 0;
}

int eventfd_write(int fd, eventfd_t value) {
    counter *found = counter_of(fd);
    if (!found) return here && fd >= first_fd ? -1 : REAL(eventfd_write)(fd, value);
    found->count += value;
    wake_waiters(eventfd_of(fd));
    return 0;
}

int eventfd_read(int fd, eventfd_t *value) {
    counter *found = counter_of(fd);
    if (!found) return here && fd >= first_fd ? -1 : REAL(eventfd_read)(fd, value);
    if (found->count == 0) {
        errno = EAGAIN;
        return -1;
    }
    *value = found->count;
    found->count = 0;
    return 0;
}
