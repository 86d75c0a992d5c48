#ifndef MARTLET_CPROCESS_H
#define MARTLET_CPROCESS_H

#include <sys/types.h>

/// Starts a program in a session and process group of its own. No descriptor of ours but the three named files
/// reaches it, and its signals are back at their defaults.
/// - Returns: 0, or an errno; `*pid` is set only with 0.
int cprocess_spawn(
    pid_t *pid, const char *path, char *const argv[], char *const environment[], const char *directory,
    const char *output, const char *errors);

/// A descriptor that becomes readable when the process ends; -1 and errno on failure. For children and strangers alike.
int cprocess_pidfd_open(pid_t pid);

/// Takes the end of a child without waiting: 1 and its wait status, 0 while it runs, -1 when it is no child of ours.
int cprocess_reap(pid_t pid, int *status);

/// Gives the disk space of a file's first bytes back and leaves its length: for a log that somebody goes on appending to.
int cprocess_discard(const char *path, off_t length);

/// Has the system begin to write these bytes of an open file to the disk, and waits for none of them.
void cprocess_begin_synchronizing(int file, off_t offset, off_t count);

/// The number of a folder's kind of file system (linux/magic.h), which Swift's Glibc has no call for; -1 where it is unknown.
long cprocess_file_system(const char *path);

#endif
