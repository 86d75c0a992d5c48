/* What all peers' programs measure with: the machine's monotonic clock, and delays summed up. */
#pragma once

#define _GNU_SOURCE
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static inline int64_t monotonic(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static inline void sleep_until(int64_t time) {
    struct timespec at = {time / 1000000000, time % 1000000000};
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL);
}

typedef struct {
    int64_t *values;
    size_t count, room;
} delays_t;

static inline void delays_add(delays_t *delays, int64_t value) {
    if (delays->count == delays->room) {
        delays->room = delays->room ? delays->room * 2 : 1024;
        delays->values = realloc(delays->values, delays->room * sizeof(int64_t));
        if (!delays->values) abort();
    }
    delays->values[delays->count++] = value;
}

static inline int delays_compare(const void *left, const void *right) {
    int64_t a = *(const int64_t *)left, b = *(const int64_t *)right;
    return a < b ? -1 : a > b;
}

static inline double delays_at(const delays_t *delays, double share) {
    if (!delays->count) return 0;
    size_t index = (size_t)((double)delays->count * share);
    if (index >= delays->count) index = delays->count - 1;
    return (double)delays->values[index] / 1000;
}

/* One line of JSON, microseconds for delays, as the benchmark's own programs print it. */
static inline void report(int64_t begun, int64_t ended, size_t events, delays_t *delays) {
    qsort(delays->values, delays->count, sizeof(int64_t), delays_compare);
    printf("{\"begun\":%lld,\"ended\":%lld,\"events\":%zu,\"delays\":{\"p50\":%.1f,\"p90\":%.1f,\"p99\":%.1f,"
           "\"max\":%.1f}}\n",
           (long long)begun, (long long)ended, events, delays_at(delays, 0.5), delays_at(delays, 0.9),
           delays_at(delays, 0.99), delays_at(delays, 1));
    fflush(stdout);
}

static inline void fail(const char *what, const char *why) {
    fprintf(stderr, "%s: %s\n", what, why ? why : "no reason given");
    exit(1);
}
