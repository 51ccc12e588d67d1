/* Starts and ends `true` again and again, in several environments by turns, from a process that the
 * shim is not in.
 *
 *   starts ROUNDS NAME 'VARIABLE=VALUE ...' [NAME 'VARIABLE=VALUE ...']...
 *
 * Beside the variables there is only PATH. For each environment, by its name, it
 * prints the median in us, the lower and the upper quartile, and the median of the ratios to the
 * first environment in the same round. */
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

enum { WAYS_MOST = 8, VARIABLES_MOST = 16, WARM_UP = 20 };

struct way {
    const char *name;
    char *variables[VARIABLES_MOST + 1];
    double *us;
    double *ratio;
};

static double now_us(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static double start_and_end(char *const variables[]) {
    static char name[] = "true";
    char *arguments[] = {name, NULL};
    pid_t child;
    int status;
    double begin = now_us();
    if (posix_spawn(&child, "/bin/true", NULL, NULL, arguments, variables) != 0 ||
        waitpid(child, &status, 0) != child || status != 0) {
        fputs("starts: true does not run\n", stderr);
        exit(1);
    }
    return now_us() - begin;
}

static int compare(const void *one, const void *other) {
    double a = *(const double *)one, b = *(const double *)other;
    return (a > b) - (a < b);
}

static void read_way(struct way *way, const char *name, char *variables, size_t rounds) {
    static char path[] = "PATH=/usr/bin:/bin";
    size_t count = 0;
    way->name = name;
    way->variables[count++] = path;
    for (char *at = strtok(variables, " "); at != NULL && count < VARIABLES_MOST;
         at = strtok(NULL, " "))
        way->variables[count++] = at;
    way->us = calloc(rounds, sizeof *way->us);
    way->ratio = calloc(rounds, sizeof *way->ratio);
    if (way->us == NULL || way->ratio == NULL)
        exit(1);
}

static void print_way(struct way *way, size_t rounds) {
    qsort(way->us, rounds, sizeof *way->us, compare);
    qsort(way->ratio, rounds, sizeof *way->ratio, compare);
    printf("%-28s %7.1f us (%.1f to %.1f), %.3f of the first\n", way->name, way->us[rounds / 2],
           way->us[rounds / 4], way->us[rounds * 3 / 4], way->ratio[rounds / 2]);
    free(way->us);
    free(way->ratio);
}

int main(int count, char *arguments[]) {
    static struct way ways[WAYS_MOST];
    size_t rounds = count > 1 ? (size_t)strtoul(arguments[1], NULL, 10) : 0;
    size_t used = 0;
    for (int i = 2; i + 1 < count && used < WAYS_MOST; i += 2)
        read_way(&ways[used++], arguments[i], arguments[i + 1], rounds);
    if (rounds == 0 || used == 0)
        return 2;
    for (size_t i = 0; i < WARM_UP + rounds; i++) {
        for (size_t j = 0; j < used; j++) {
            struct way *way = &ways[(i + j) % used]; /* each comes first in turn */
            double us = start_and_end(way->variables);
            if (i >= WARM_UP)
                way->us[i - WARM_UP] = us;
        }
        for (size_t j = 0; i >= WARM_UP && j < used; j++)
            ways[j].ratio[i - WARM_UP] = ways[j].us[i - WARM_UP] / ways[0].us[i - WARM_UP];
    }
    for (size_t j = 0; j < used; j++)
        print_way(&ways[j], rounds);
    return 0;
}
