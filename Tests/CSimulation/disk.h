#pragma once
#include "machine.h"
#include <sqlite3.h>

/// Since the last sync: bytes written, or the size that the file was cut to.
typedef struct {
    int64_t offset, count;
    uint8_t *bytes;
} change;

typedef struct {
    uint8_t *bytes;
    int64_t size, room;
} content;

enum { page_bytes = 32768, most_pages = 64, shm_slots = 8 };

typedef struct handle handle;

typedef struct file {
    char *path;
    content now, synced;
    change *changes;
    size_t change_count;
    uint8_t *pages[most_pages];
    handle *handles;
    bool is_deleted;
    struct file *next;
} file;

struct handle {
    sqlite3_file base;
    file *file;
    int process, lock;
    bool has_pages, is_open;
    /// Slots of the shared memory's locks: held shared, held alone.
    uint8_t shared, alone;
    handle *next;
};

struct disk {
    file *files;
    bool is_full;
    uint64_t syncs;
    uint8_t **dropped;
    size_t dropped_count;
};

/// Changes what is in the file, and remembers that it is not synced.
void file_write(file *f, const void *bytes, int64_t offset, int64_t count);
void file_cut(file *f, int64_t size);
void file_sync(file *f);
file *file_at(const char *path);
file *file_make(const char *path);
void handle_release(handle *h);
void pages_drop(file *f);
/// What the next write or sync comes to. `dies`: the process does, right after it.
int disk_fault(handle *h, bool *dies);
/// Puts the simulated file system before SQLite's own; other paths and other threads go to that.
void disk_register(void);
