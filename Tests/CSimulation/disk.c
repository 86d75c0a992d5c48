#include "disk.h"

// A disk in memory, as SQLite's default file system on simulated threads. It knows which writes were
// synced, and forgets the others when the power fails.

// MARK: Contents

static void set_size(content *c, int64_t size) {
    if (size > c->room) {
        c->room = size * 2 + 4096;
        c->bytes = realloc(c->bytes, (size_t)c->room);
    }
    if (size > c->size) memset(c->bytes + c->size, 0, (size_t)(size - c->size));
    c->size = size;
}

static void put(content *c, const void *bytes, int64_t offset, int64_t count) {
    if (offset + count > c->size) set_size(c, offset + count);
    memcpy(c->bytes + offset, bytes, (size_t)count);
}

static void apply(content *c, const change *one) {
    if (one->bytes) {
        put(c, one->bytes, one->offset, one->count);
    } else {
        set_size(c, one->offset);
    }
}

static void changed(file *f, const void *bytes, int64_t offset, int64_t count) {
    f->changes = realloc(f->changes, (f->change_count + 1) * sizeof(change));
    uint8_t *copy = NULL;
    if (bytes) {
        copy = malloc((size_t)count + 1);
        memcpy(copy, bytes, (size_t)count);
    }
    f->changes[f->change_count++] = (change){offset, count, copy};
}

static void forget_changes(file *f) {
    for (size_t i = 0; i < f->change_count; i++) free(f->changes[i].bytes);
    f->change_count = 0;
}

void file_write(file *f, const void *bytes, int64_t offset, int64_t count) {
    put(&f->now, bytes, offset, count);
    changed(f, bytes, offset, count);
}

void file_cut(file *f, int64_t size) {
    set_size(&f->now, size);
    changed(f, NULL, size, 0);
}

void file_sync(file *f) {
    here->disk->syncs++;
    if (here->disk_lies) return;
    for (size_t i = 0; i < f->change_count; i++) apply(&f->synced, &f->changes[i]);
    forget_changes(f);
}

/// Those who died in the middle of a call may still write into them: they are freed at the end.
void pages_drop(file *f) {
    disk *d = here->disk;
    for (int i = 0; i < most_pages; i++) {
        if (!f->pages[i]) continue;
        d->dropped = realloc(d->dropped, (d->dropped_count + 1) * sizeof *d->dropped);
        d->dropped[d->dropped_count++] = f->pages[i];
        f->pages[i] = NULL;
    }
}

file *file_at(const char *path) {
    for (file *one = here->disk->files; one; one = one->next) {
        if (!one->is_deleted && strcmp(one->path, path) == 0) return one;
    }
    return NULL;
}

file *file_make(const char *path) {
    file *made = calloc(1, sizeof *made);
    made->path = strdup(path);
    made->next = here->disk->files;
    here->disk->files = made;
    return made;
}

static void file_free(file *old) {
    forget_changes(old);
    pages_drop(old);
    free(old->changes);
    free(old->now.bytes);
    free(old->synced.bytes);
    free(old->path);
    free(old);
}

// MARK: Faults

bool simulation_disk_is_armed(int process) { return here->processes[process].disk_countdown > 0; }

void simulation_disk_fail(int process, uint32_t nth, int code) {
    here->processes[process].disk_countdown = nth;
    here->processes[process].disk_kills = false;
    here->processes[process].disk_code = code;
}

void simulation_disk_kill(int process, uint32_t nth, bool done) {
    here->processes[process].disk_countdown = nth;
    here->processes[process].disk_kills = true;
    here->processes[process].disk_kills_after = done;
}

void simulation_let_disk_lie(bool lies) { here->disk_lies = lies; }
void simulation_disk_full(bool full) { here->disk->is_full = full; }
uint64_t simulation_disk_syncs(void) { return here->disk->syncs; }

int disk_fault(handle *h, bool *dies) {
    *dies = false;
    if (!h->is_open || !is_alive(h->process)) return SQLITE_IOERR;
    process *p = &here->processes[h->process];
    if (p->disk_countdown == 0 || --p->disk_countdown > 0) return SQLITE_OK;
    if (!p->disk_kills) return p->disk_code;
    if (p->disk_kills_after) {
        *dies = true;
        return SQLITE_OK;
    }
    simulation_kill(h->process);
    return SQLITE_IOERR;
}

void simulation_power_cut(uint32_t kept) {
    for (file *f = here->disk->files; f; f = f->next) {
        if (f->is_deleted) continue;
        for (size_t i = 0; i < f->change_count; i++) {
            if (chance_of(kept)) apply(&f->synced, &f->changes[i]);
        }
        forget_changes(f);
        set_size(&f->now, f->synced.size);
        if (f->synced.size) memcpy(f->now.bytes, f->synced.bytes, (size_t)f->synced.size);
        pages_drop(f);
    }
}

void simulation_disk_write(const char *path, const void *bytes, size_t count) {
    file *f = file_make(path);
    put(&f->now, bytes, 0, (int64_t)count);
    put(&f->synced, bytes, 0, (int64_t)count);
}

// MARK: Images

struct simulation_image {
    char *prefix;
    struct {
        char *path;
        uint8_t *bytes;
        int64_t size;
    } *files;
    size_t count;
};

simulation_image *simulation_disk_copy(const char *prefix) {
    simulation_image *image = calloc(1, sizeof *image);
    image->prefix = strdup(prefix);
    for (file *f = here->disk->files; f; f = f->next) {
        if (f->is_deleted || strncmp(f->path, prefix, strlen(prefix))) continue;
        image->files = realloc(image->files, (image->count + 1) * sizeof *image->files);
        uint8_t *bytes = malloc((size_t)f->now.size + 1);
        if (f->now.size) memcpy(bytes, f->now.bytes, (size_t)f->now.size);
        image->files[image->count].path = strdup(f->path);
        image->files[image->count].bytes = bytes;
        image->files[image->count++].size = f->now.size;
    }
    return image;
}

void simulation_disk_put(const simulation_image *image) {
    for (file *f = here->disk->files; f; f = f->next) {
        if (strncmp(f->path, image->prefix, strlen(image->prefix)) == 0) f->is_deleted = true;
    }
    for (size_t i = 0; i < image->count; i++) {
        file *f = file_make(image->files[i].path);
        put(&f->now, image->files[i].bytes, 0, image->files[i].size);
        put(&f->synced, image->files[i].bytes, 0, image->files[i].size);
    }
}

void simulation_image_free(simulation_image *image) {
    for (size_t i = 0; i < image->count; i++) {
        free(image->files[i].path);
        free(image->files[i].bytes);
    }
    free(image->files);
    free(image->prefix);
    free(image);
}

// MARK: Life

void handle_release(handle *h) {
    if (!h->is_open) return;
    h->is_open = false;
    file *f = h->file;
    bool others = false;
    for (handle **at = &f->handles; *at;) {
        if (*at == h) {
            *at = h->next;
        } else {
            others |= (*at)->has_pages;
            at = &(*at)->next;
        }
    }
    // The first that comes again makes the shared memory anew, out of the log.
    if (!others) pages_drop(f);
}

void disk_forget(int process) {
    for (file *f = here->disk->files; f; f = f->next) {
        for (handle *h = f->handles, *next; h; h = next) {
            next = h->next;
            if (h->process == process) handle_release(h);
        }
    }
}

void disk_begin(void) {
    here->disk = calloc(1, sizeof(disk));
    disk_register();
}

void disk_end(void) {
    for (file *f = here->disk->files, *next; f; f = next) {
        next = f->next;
        for (handle *h = f->handles; h; h = h->next) h->is_open = false;
        file_free(f);
    }
    for (size_t i = 0; i < here->disk->dropped_count; i++) free(here->disk->dropped[i]);
    free(here->disk->dropped);
    free(here->disk);
}
