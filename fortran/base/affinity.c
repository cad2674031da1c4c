/* SPDX-License-Identifier: MIT
 * The processors that the system lets this process use. */
#define _GNU_SOURCE
#include <sched.h>
#include <stdint.h>
#include <string.h>

/* How many there are, 0 when the system does not say. */
int fennix_affinity_count(void)
{
   cpu_set_t set;

   return sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 0;
}

/* FNV-1a of the set. */
int64_t fennix_affinity_mark(void)
{
   cpu_set_t set;
   uint64_t mark = 14695981039346656037u;

   memset(&set, 0, sizeof set);
   sched_getaffinity(0, sizeof set, &set);
   for (size_t i = 0; i < sizeof set; i++)
      mark = (mark ^ ((const unsigned char *) &set)[i]) * 1099511628211u;
   return (int64_t) mark;
}
