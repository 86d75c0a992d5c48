/* fsync PATH COUNT: appends 4 KiB and waits for the disk, again and again; what durability costs here, now. */
#include "clock.h"
#include <fcntl.h>
#include <unistd.h>

int main(int argc, char **argv) {
    if (argc != 3) fail("usage", "fsync PATH COUNT");
    static char page[4096] = {1};
    delays_t delays = {0};
    int file = open(argv[1], O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600);
    if (file < 0) fail("open", argv[1]);
    int64_t begun = monotonic();
    for (int count = atoi(argv[2]); count > 0; count--) {
        int64_t start = monotonic();
        if (write(file, page, sizeof page) != sizeof page || fdatasync(file)) fail("fdatasync", argv[1]);
        delays_add(&delays, monotonic() - start);
    }
    report(begun, monotonic(), delays.count, &delays);
    unlink(argv[1]);
    return 0;
}
