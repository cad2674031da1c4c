/* A force provider in plain C: every atom on a spring of 2 kcal/mol/Å² to the origin. */
#include <stdint.h>
#include <string.h>

struct request {
   int32_t version, level;
   int64_t inner_step;
   int32_t wanted, n_local, n_center, n_total, periodic[3];
   int64_t n_global;
   double total_charge, cutoff, skin;
   int64_t list_version, n_edges;
   const int32_t *number, *id;
   const double (*position)[3];
};

struct result {
   int32_t version;
   double energy, virial[3][3];
   double (*forces)[3];
};

int springs(void *context, const struct request *request, struct result *result)
{
   memset(result->virial, 0, sizeof result->virial);
   result->energy = 0.0;
   for (int i = 0; i < request->n_local; i++)
      for (int a = 0; a < 3; a++) {
         double x = request->position[i][a];
         result->energy += x * x;
         result->forces[i][a] = -2.0 * x;
         for (int b = 0; b < 3; b++)
            result->virial[a][b] += 2.0 * x * request->position[i][b];
      }
   return 0;
}

int broken(void *context, const struct request *request, struct result *result)
{
   return 7;
}

void message(void *context, char *buffer, int size)
{
   strncpy(buffer, "the spring is broken", size);
}
