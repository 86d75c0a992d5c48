#define _GNU_SOURCE
#include "CProcess.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif

static int add_files(
    posix_spawn_file_actions_t *actions, const char *directory, const char *output, const char *errors) {
    // 0600: the output of a program may hold anything, also what a mask has not seen yet.
    const int flags = O_WRONLY | O_CREAT | O_APPEND;
    int error = posix_spawn_file_actions_addopen(actions, 0, "/dev/null", O_RDONLY, 0);
    if (!error) error = posix_spawn_file_actions_addopen(actions, 1, output, flags, 0600);
    if (!error && errors) error = posix_spawn_file_actions_addopen(actions, 2, errors, flags, 0600);
    if (!error && !errors) error = posix_spawn_file_actions_adddup2(actions, 1, 2);
    if (!error) error = posix_spawn_file_actions_addchdir_np(actions, directory);
    if (!error) error = posix_spawn_file_actions_addclosefrom_np(actions, 3);
    return error;
}

static int set_attributes(posix_spawnattr_t *attributes) {
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    sigdelset(&all, SIGKILL);
    sigdelset(&all, SIGSTOP);
    int error = posix_spawnattr_setsigmask(attributes, &none);
    if (!error) error = posix_spawnattr_setsigdefault(attributes, &all);
    if (!error) {
        error = posix_spawnattr_setflags(
            attributes, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    }
    return error;
}

int cprocess_spawn(
    pid_t *pid, const char *path, char *const argv[], char *const environment[], const char *directory,
    const char *output, const char *errors) {
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    int error = posix_spawn_file_actions_init(&actions);
    if (error) return error;
    error = posix_spawnattr_init(&attributes);
    if (!error) {
        error = add_files(&actions, directory, output, errors);
        if (!error) error = set_attributes(&attributes);
        if (!error) error = posix_spawn(pid, path, &actions, &attributes, argv, environment);
        posix_spawnattr_destroy(&attributes);
    }
    posix_spawn_file_actions_destroy(&actions);
    return error;
}

int cprocess_pidfd_open(pid_t pid) {
    // Always close-on-exec; there is no flag to ask for it.
    return (int)syscall(SYS_pidfd_open, pid, 0);
}

int cprocess_reap(pid_t pid, int *status) {
    pid_t found;
    do {
        found = waitpid(pid, status, WNOHANG);
    } while (found == -1 && errno == EINTR);
    return found == pid ? 1 : (int)found;
}

int cprocess_discard(const char *path, off_t length) {
    int file = open(path, O_WRONLY | O_CLOEXEC);
    if (file < 0) return errno;
    int error = fallocate(file, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, length) ? errno : 0;
    close(file);
    return error;
}

long cprocess_file_system(const char *path) {
    struct statfs status;
    return statfs(path, &status) ? -1 : (long)status.f_type;
}

void cprocess_begin_synchronizing(int file, off_t offset, off_t count) {
    // Only a head start: whoever needs the bytes on the disk calls fsync.
    (void)sync_file_range(file, offset, count, SYNC_FILE_RANGE_WRITE);
}
