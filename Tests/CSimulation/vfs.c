#include "disk.h"

// What SQLite asks of a file system.

static sqlite3_vfs *real_vfs;

static handle *of(sqlite3_file *base) { return (handle *)base; }

static int vfs_close(sqlite3_file *base) {
    if (here && of(base)->is_open) handle_release(of(base));
    return SQLITE_OK;
}

static int vfs_read(sqlite3_file *base, void *bytes, int count, sqlite3_int64 offset) {
    if (!of(base)->is_open) return SQLITE_IOERR_READ;
    content *c = &of(base)->file->now;
    int64_t there = c->size - offset < 0 ? 0 : c->size - offset;
    int64_t part = there < count ? there : count;
    if (part) memcpy(bytes, c->bytes + offset, (size_t)part);
    if (part == count) return SQLITE_OK;
    memset((uint8_t *)bytes + part, 0, (size_t)(count - part));
    return SQLITE_IOERR_SHORT_READ;
}

static int vfs_write(sqlite3_file *base, const void *bytes, int count, sqlite3_int64 offset) {
    handle *h = of(base);
    bool dies;
    int problem = disk_fault(h, &dies);
    if (problem) return problem;
    if (here->disk->is_full && offset + count > h->file->now.size) return SQLITE_FULL;
    file_write(h->file, bytes, offset, count);
    if (dies) simulation_kill(h->process);
    return SQLITE_OK;
}

static int vfs_truncate(sqlite3_file *base, sqlite3_int64 size) {
    bool dies;
    int problem = disk_fault(of(base), &dies);
    if (problem) return problem;
    file_cut(of(base)->file, size);
    if (dies) simulation_kill(of(base)->process);
    return SQLITE_OK;
}

static int vfs_sync(sqlite3_file *base, int flags) {
    handle *h = of(base);
    bool dies;
    int problem = disk_fault(h, &dies);
    if (problem) return problem;
    file_sync(h->file);
    if (dies) simulation_kill(h->process);
    return SQLITE_OK;
}

static int vfs_size(sqlite3_file *base, sqlite3_int64 *size) {
    if (!of(base)->is_open) return SQLITE_IOERR_FSTAT;
    *size = of(base)->file->now.size;
    return SQLITE_OK;
}

// MARK: Locks of the database file

static bool others_hold(handle *h, int level) {
    for (handle *one = h->file->handles; one; one = one->next) {
        if (one != h && one->lock >= level) return true;
    }
    return false;
}

static int vfs_lock(sqlite3_file *base, int level) {
    handle *h = of(base);
    if (!h->is_open) return SQLITE_IOERR_LOCK;
    if (level == SQLITE_LOCK_SHARED && others_hold(h, SQLITE_LOCK_PENDING)) return SQLITE_BUSY;
    if (level == SQLITE_LOCK_RESERVED && others_hold(h, SQLITE_LOCK_RESERVED)) return SQLITE_BUSY;
    if (level == SQLITE_LOCK_EXCLUSIVE && others_hold(h, SQLITE_LOCK_SHARED)) return SQLITE_BUSY;
    if (level > h->lock) h->lock = level;
    return SQLITE_OK;
}

static int vfs_unlock(sqlite3_file *base, int level) {
    if (level < of(base)->lock) of(base)->lock = level;
    return SQLITE_OK;
}

static int vfs_check_lock(sqlite3_file *base, int *reserved) {
    if (!of(base)->is_open) return SQLITE_IOERR_CHECKRESERVEDLOCK;
    *reserved = of(base)->lock >= SQLITE_LOCK_RESERVED || others_hold(of(base), SQLITE_LOCK_RESERVED);
    return SQLITE_OK;
}

static int vfs_control(sqlite3_file *base, int operation, void *argument) { return SQLITE_NOTFOUND; }
static int vfs_sector(sqlite3_file *base) { return 4096; }
static int vfs_characteristics(sqlite3_file *base) { return SQLITE_IOCAP_POWERSAFE_OVERWRITE; }

// MARK: The memory that connections share

static int shm_map(sqlite3_file *base, int number, int bytes, int extend, void volatile **page) {
    handle *h = of(base);
    *page = NULL;
    if (!h->is_open) return SQLITE_IOERR_SHMMAP;
    if (number >= most_pages || bytes != page_bytes) return SQLITE_IOERR_SHMMAP;
    h->has_pages = true;
    if (!h->file->pages[number] && extend) h->file->pages[number] = calloc(1, page_bytes);
    *page = h->file->pages[number];
    return SQLITE_OK;
}

static int shm_lock(sqlite3_file *base, int first, int count, int flags) {
    handle *h = of(base);
    if (!h->is_open) return SQLITE_IOERR_SHMLOCK;
    uint8_t mask = (uint8_t)(((1 << count) - 1) << first);
    if (flags & SQLITE_SHM_UNLOCK) {
        h->shared &= (uint8_t)~mask;
        h->alone &= (uint8_t)~mask;
        return SQLITE_OK;
    }
    for (handle *one = h->file->handles; one; one = one->next) {
        if (one == h) continue;
        if (one->alone & mask) return SQLITE_BUSY;
        if ((flags & SQLITE_SHM_EXCLUSIVE) && (one->shared & mask)) return SQLITE_BUSY;
    }
    if (flags & SQLITE_SHM_EXCLUSIVE) {
        h->alone |= mask;
    } else {
        h->shared |= mask;
    }
    return SQLITE_OK;
}

static void shm_barrier(sqlite3_file *base) {}

static int shm_unmap(sqlite3_file *base, int delete) {
    handle *h = of(base);
    if (!h->is_open) return SQLITE_OK;
    h->has_pages = false;
    h->shared = h->alone = 0;
    for (handle *one = h->file->handles; one; one = one->next) {
        if (one->has_pages) return SQLITE_OK;
    }
    pages_drop(h->file);
    return SQLITE_OK;
}

static const sqlite3_io_methods methods = {
    .iVersion = 2, .xClose = vfs_close, .xRead = vfs_read, .xWrite = vfs_write, .xTruncate = vfs_truncate,
    .xSync = vfs_sync, .xFileSize = vfs_size, .xLock = vfs_lock, .xUnlock = vfs_unlock,
    .xCheckReservedLock = vfs_check_lock, .xFileControl = vfs_control, .xSectorSize = vfs_sector,
    .xDeviceCharacteristics = vfs_characteristics, .xShmMap = shm_map, .xShmLock = shm_lock,
    .xShmBarrier = shm_barrier, .xShmUnmap = shm_unmap,
};

// MARK: The file system

/// All databases of a simulated thread are ours; SQLite's own temporary files have no name.
static bool is_ours(const char *path) { return here && path; }

static int vfs_open(sqlite3_vfs *vfs, const char *path, sqlite3_file *base, int flags, int *out) {
    if (!is_ours(path)) return real_vfs->xOpen(real_vfs, path, base, flags, out);
    handle *h = of(base);
    memset(h, 0, sizeof *h);
    if (!is_alive(here->current)) return SQLITE_CANTOPEN;
    file *f = file_at(path);
    if (!f && !(flags & SQLITE_OPEN_CREATE)) return SQLITE_CANTOPEN;
    if (!f) f = file_make(path);
    h->file = f;
    h->process = here->current;
    h->is_open = true;
    h->next = f->handles;
    f->handles = h;
    base->pMethods = &methods;
    if (out) *out = flags;
    return SQLITE_OK;
}

static int vfs_delete(sqlite3_vfs *vfs, const char *path, int sync) {
    if (!is_ours(path)) return real_vfs->xDelete(real_vfs, path, sync);
    file *f = file_at(path);
    if (!f) return SQLITE_IOERR_DELETE_NOENT;
    if (!is_alive(here->current)) return SQLITE_IOERR_DELETE;
    f->is_deleted = true;
    return SQLITE_OK;
}

static int vfs_access(sqlite3_vfs *vfs, const char *path, int flags, int *result) {
    if (!is_ours(path)) return real_vfs->xAccess(real_vfs, path, flags, result);
    file *f = file_at(path);
    *result = f && (flags != SQLITE_ACCESS_EXISTS || f->now.size > 0);
    return SQLITE_OK;
}

static int vfs_full_path(sqlite3_vfs *vfs, const char *path, int count, char *out) {
    if (!is_ours(path)) return real_vfs->xFullPathname(real_vfs, path, count, out);
    sqlite3_snprintf(count, out, "%s", path);
    return SQLITE_OK;
}

static int vfs_sleep(sqlite3_vfs *vfs, int microseconds) {
    if (!here) return real_vfs->xSleep(real_vfs, microseconds);
    here->now += (uint64_t)microseconds * 1000;
    return microseconds;
}

static int vfs_random(sqlite3_vfs *vfs, int count, char *out) {
    if (!here) return real_vfs->xRandomness(real_vfs, count, out);
    // SQLite asks once in the life of the test process: this must not shift what the first simulation draws.
    memset(out, 42, (size_t)count);
    return count;
}

static int vfs_time(sqlite3_vfs *vfs, double *day) { return real_vfs->xCurrentTime(real_vfs, day); }
static int vfs_time64(sqlite3_vfs *vfs, sqlite3_int64 *day) { return real_vfs->xCurrentTimeInt64(real_vfs, day); }
static int vfs_problem(sqlite3_vfs *vfs, int count, char *out) {
    return real_vfs->xGetLastError(real_vfs, count, out);
}

void disk_register(void) {
    static sqlite3_vfs ours;
    if (real_vfs) return;
    real_vfs = sqlite3_vfs_find(NULL);
    ours = (sqlite3_vfs){
        .iVersion = 2,
        .szOsFile = real_vfs->szOsFile > (int)sizeof(handle) ? real_vfs->szOsFile : (int)sizeof(handle),
        .mxPathname = real_vfs->mxPathname, .zName = "simulated", .xOpen = vfs_open, .xDelete = vfs_delete,
        .xAccess = vfs_access, .xFullPathname = vfs_full_path, .xSleep = vfs_sleep, .xRandomness = vfs_random,
        .xCurrentTime = vfs_time, .xCurrentTimeInt64 = vfs_time64, .xGetLastError = vfs_problem,
        // No libraries are loaded in tests.
        .xDlOpen = real_vfs->xDlOpen, .xDlError = real_vfs->xDlError, .xDlSym = real_vfs->xDlSym,
        .xDlClose = real_vfs->xDlClose,
    };
    sqlite3_vfs_register(&ours, 1);
}
