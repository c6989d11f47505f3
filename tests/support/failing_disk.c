/* Lets the next writes or syncs of a journal's files fail, as a full or broken disk does. For LD_PRELOAD. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

static atomic_int left;
static atomic_int failing;
static atomic_int only_syncs;

/* Let the next `count` writes and syncs fail with `error`, or only the next syncs. */
void fail_disk(int error, int count, int syncs) {
    failing = error;
    only_syncs = syncs;
    left = count;
}

static int fails(int descriptor, int is_sync) {
    if (left <= 0 || (only_syncs && !is_sync))
        return 0;
    char link[64], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    ssize_t size = readlink(link, path, sizeof path - 1);
    if (size < 0)
        return 0;
    path[size] = 0;
    if (!strstr(path, "/journal.db") || atomic_fetch_sub(&left, 1) <= 0)
        return 0;
    errno = failing;
    return 1;
}

#define REAL(name, type) static type real; if (!real) real = (type)dlsym(RTLD_NEXT, name)

typedef ssize_t (*writing)(int, const void *, size_t);
typedef ssize_t (*placing)(int, const void *, size_t, off_t);
typedef int (*syncing)(int);

ssize_t write(int descriptor, const void *data, size_t size) {
    REAL("write", writing);
    return fails(descriptor, 0) ? -1 : real(descriptor, data, size);
}

ssize_t pwrite(int descriptor, const void *data, size_t size, off_t at) {
    REAL("pwrite", placing);
    return fails(descriptor, 0) ? -1 : real(descriptor, data, size, at);
}

ssize_t pwrite64(int descriptor, const void *data, size_t size, off_t at) {
    REAL("pwrite64", placing);
    return fails(descriptor, 0) ? -1 : real(descriptor, data, size, at);
}

int fsync(int descriptor) {
    REAL("fsync", syncing);
    return fails(descriptor, 1) ? -1 : real(descriptor);
}

int fdatasync(int descriptor) {
    REAL("fdatasync", syncing);
    return fails(descriptor, 1) ? -1 : real(descriptor);
}
