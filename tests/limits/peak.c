/* Runs a command and tells what it took.
 *
 *     peak RESULT COMMAND [ARGUMENT]...
 *
 * Writes one line into RESULT: wall, user and system time in microseconds, peak resident set in
 * KiB, exit code (or -1), signal (or 0).
 *
 * The peak is the command's own: a parent's peak counts as the child's until the child has called
 * exec, so a big parent (Python) would hide a small child. This program is smaller than anything
 * it measures. It dies with its parent, and the command with it. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static long long microseconds(struct timeval t)
{
    return t.tv_sec * 1000000LL + t.tv_usec;
}

int main(int argc, char **argv)
{
    if (argc < 3) {
        fprintf(stderr, "usage: peak RESULT COMMAND [ARGUMENT]...\n");
        return 2;
    }
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    struct timespec a, b;
    clock_gettime(CLOCK_MONOTONIC, &a);
    pid_t child = fork();
    if (child < 0) {
        perror("peak: fork");
        return 2;
    }
    if (child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        execvp(argv[2], argv + 2);
        fprintf(stderr, "peak: %s: %s\n", argv[2], strerror(errno));
        _exit(127);
    }
    int status = 0;
    struct rusage use = {0};
    signal(SIGINT, SIG_IGN);
    while (wait4(child, &status, 0, &use) < 0 && errno == EINTR)
        continue;
    clock_gettime(CLOCK_MONOTONIC, &b);
    FILE *out = fopen(argv[1], "w");
    if (!out) {
        perror("peak: result");
        return 2;
    }
    fprintf(out, "%lld %lld %lld %ld %d %d\n",
            (b.tv_sec - a.tv_sec) * 1000000LL + (b.tv_nsec - a.tv_nsec) / 1000,
            microseconds(use.ru_utime), microseconds(use.ru_stime), use.ru_maxrss,
            WIFEXITED(status) ? WEXITSTATUS(status) : -1,
            WIFSIGNALED(status) ? WTERMSIG(status) : 0);
    fclose(out);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
