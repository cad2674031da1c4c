/* SPDX-License-Identifier: MIT
 * The one piece of global state: a flag that SIGINT, SIGTERM and SIGUSR1 set, so that the loop can stop cleanly. */
#define _POSIX_C_SOURCE 200809L
#define _XOPEN_SOURCE 700
#include <signal.h>
#include <stddef.h>

enum { CAUGHT = 3 };
static const int caught[CAUGHT] = {SIGINT, SIGTERM, SIGUSR1};
static struct sigaction previous[CAUGHT];
static int installed = 0;
static volatile sig_atomic_t flag = 0;

static void remember(int number)
{
   flag = number;
   if (number == SIGINT) {
      /* The user who presses Ctrl-C twice does not want to wait. */
      struct sigaction plain = {0};
      plain.sa_handler = SIG_DFL;
      sigaction(SIGINT, &plain, NULL);
   }
}

/* Clear the flag and catch the signals; the handlers found are put back by fennix_signals_restore. */
void fennix_signals_install(void)
{
   struct sigaction ours = {0};

   flag = 0;
   ours.sa_handler = remember;
   ours.sa_flags = SA_RESTART;
   sigemptyset(&ours.sa_mask);
   for (int i = 0; i < CAUGHT; i++)
      sigaction(caught[i], &ours, installed ? NULL : &previous[i]);
   installed = 1;
}

/* Put the earlier handlers back; the flag stays readable. */
void fennix_signals_restore(void)
{
   if (!installed) return;
   for (int i = 0; i < CAUGHT; i++)
      sigaction(caught[i], &previous[i], NULL);
   installed = 0;
}

/* The last signal caught: 1 = SIGINT, 2 = SIGTERM, 3 = SIGUSR1, 0 = none; the system's own numbers differ. */
int fennix_signals_which(void)
{
   const int number = (int) flag;

   for (int i = 0; i < CAUGHT; i++)
      if (caught[i] == number) return i + 1;
   return 0;
}
