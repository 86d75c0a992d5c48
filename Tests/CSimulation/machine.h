#pragma once
#define _GNU_SOURCE
#include "CSimulation.h"
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SWIFT __attribute__((swiftcall))
/// The function that this one stands before.
#define REAL(name)                                                                                                     \
    ({                                                                                                                 \
        static __typeof__(&name) real;                                                                                 \
        if (!real) real = (__typeof__(&name))dlsym(RTLD_NEXT, #name);                                                  \
        real;                                                                                                          \
    })

typedef void (*action)(void *);

/// Something to be done at a time, in a process.
typedef struct {
    uint64_t at, tie;
    int process;
    action run;
    void *context;
} event;

typedef struct {
    event *items;
    size_t count, room;
} events;

typedef struct {
    bool alive, stopped, unplugged;
    int64_t clock;
    events held;
    uint32_t disk_countdown;
    int disk_code;
    bool disk_kills, disk_kills_after;
} process;

typedef struct network network;
typedef struct disk disk;
typedef struct threads threads;

typedef struct {
    uint64_t now, seed, chance, luck, digest, steps, limit;
    int current;
    process *processes;
    int process_count;
    events ready, timers, urgent;
    simulation_network faults;
    bool disk_lies, locks_are_broken;
    network *network;
    disk *disk;
    threads *threads;
} machine;

/// NULL on threads that are not simulated.
extern __thread machine *here;

uint64_t next_random(uint64_t *state);
uint64_t chance_below(uint64_t bound);
bool chance_of(uint32_t in_65536);
void note(uint64_t value);
void push(events *list, event item);
/// At `at`, in the process that runs now.
void schedule(uint64_t at, action run, void *context);
void schedule_for(int process, uint64_t at, action run, void *context);
void make_ready(int process, action run, void *context);
bool is_alive(int process);

void network_begin(void);
void network_end(void);
void network_forget(int process);
void disk_begin(void);
void disk_end(void);
void disk_forget(int process);
void threads_begin(void);
void threads_end(void);
void threads_forget(int process);
/// Wakes the threads that wait for a socket or an eventfd.
void wake_waiters(const void *what);
/// Whether `fd` is a simulated eventfd that can be read.
void *eventfd_of(int fd);
bool eventfd_is_readable(int fd);
/// Lets the simulated thread that runs now wait until `wake_waiters` for one of these, or until `deadline`.
/// `false`: this is no simulated thread.
bool wait_for(const void **what, size_t count, uint64_t deadline);
void locks_forget(int process);
void locks_end(void);
