! SPDX-License-Identifier: MIT
!> What a run is: one validated, immutable record in internal units (Å, ps, kcal/mol, g/mol, K, atm).
module fennix_settings
   use fennix_kinds, only : dp, i8
   use fennix_strings, only : string_type
   implicit none
   private
   public :: settings_type
   public :: job_dynamic, job_minimize, job_rerun, job_check, job_keywords, job_version, job_help

   !> What the command line asks for
   integer, parameter :: job_dynamic = 1, job_minimize = 2, job_rerun = 3, job_check = 4, &
      & job_keywords = 5, job_version = 6, job_help = 7

   type :: settings_type
      !> One of job_*
      integer :: job = job_dynamic

      !> Path without extension; every file of the run is this plus an extension
      character(len=:), allocatable :: name
      !> Structure file (.xyz), empty when the atoms come from Python
      character(len=:), allocatable :: structure_file
      !> Keyfile that was read, empty when there was none
      character(len=:), allocatable :: key_file
      !> Text of the keyfile, kept for the record in output files
      character(len=:), allocatable :: key_text
      !> Frames to evaluate for job_rerun (.arc or .h5)
      character(len=:), allocatable :: rerun_file
      !> --resume: continue bitwise from NAME.chk
      logical :: resume = .false.
      !> The run belongs to a Python program, which decides what is done
      logical :: embedded = .false.
      !> One warning sentence: Tinker keywords that were read and mean nothing here, empty when none
      character(len=:), allocatable :: ignored_keywords
      !> Sentences for the user about the input (a keyword given twice, one that has no effect here), one for each
      type(string_type), allocatable :: notes(:)

      !> Number of outer steps (0 = single point)
      integer(i8) :: n_steps = 0
      !> Outer time step, ps
      real(dp) :: dt = 0.001_dp
      !> Substeps of the fast level in one outer step (1 with a single level)
      integer :: n_substeps = 1
      !> Outer steps between frames
      integer(i8) :: dump_every = 100
      !> Outer steps between lines of the log
      integer(i8) :: print_every = 100
      !> Outer steps between checkpoints
      integer(i8) :: checkpoint_every = 100
      !> Stop cleanly after this many hours of wall time, negative = never
      real(dp) :: max_hours = -1.0_dp

      !> "verlet", "baoab", "respa" or "baoabrespa"
      character(len=:), allocatable :: integrator
      !> "nve" or "nvt"
      character(len=:), allocatable :: ensemble
      !> Two levels: accurate outside, fast inside
      logical :: two_level = .false.
      !> Langevin thermostat in the innermost level
      logical :: langevin = .false.
      !> K
      real(dp) :: temperature = 298.0_dp
      !> Temperature of the initial velocities, K (equal to temperature unless given)
      real(dp) :: initial_temperature = 298.0_dp
      !> Pressure for pressure coupling, atm (there is none yet)
      real(dp) :: pressure = 1.0_dp
      !> Langevin friction, 1/ps
      real(dp) :: friction = 1.0_dp
      !> Remove centre-of-mass motion every this many outer steps, 0 = never
      integer :: remove_inertia = 0
      !> Seed of the counter-based random numbers
      integer(i8) :: seed = 0
      !> The seed came from the keyfile (otherwise it was drawn and is printed)
      logical :: seed_given = .false.
      !> Repartition hydrogen masses by Tinker's rule
      logical :: heavy_hydrogen = .false.

      !> Models: shipped NAME or FILE; model_fast is empty with a single level
      character(len=:), allocatable :: model_accurate, model_fast
      !> Where each was named, for messages: "water.key, line 3: keyword 'ml-model'"
      character(len=:), allocatable :: place_accurate, place_fast
      !> "auto", "cpu", "cuda" or "cuda:i"
      character(len=:), allocatable :: device
      !> "float32" or "float64"
      character(len=:), allocatable :: precision
      !> CPU threads for the models, 0 = decide by affinity and OMP_NUM_THREADS
      integer :: threads = 0
      !> Total charge of the system, e
      real(dp) :: total_charge = 0.0_dp
      !> Largest |F_accurate - F_fast| per atom applied in the outer kick, kcal/mol/Å, 0 = no cap
      real(dp) :: force_cap = 0.0_dp
      !> Width of the pair list beyond the cutoff, Å
      real(dp) :: skin = 1.0_dp

      !> Bricks along each lattice vector for several ranks, zero = choose; and where that was asked for, for messages
      integer :: decomposition(3) = 0
      character(len=:), allocatable :: place_decomposition
      !> How ranks see their surroundings: "auto", "wide" or "exchange"
      character(len=:), allocatable :: halo

      !> Box from the keyfile: lengths (Å) and angles (degrees), overrides the structure file when box_given
      logical :: box_given = .false.
      real(dp) :: box_lengths(3) = 0.0_dp, box_angles(3) = 90.0_dp
      !> Where the box was given, for messages: "water.key, line 4: keyword 'a-axis'"
      character(len=:), allocatable :: box_origin

      !> Atom names whose element the keyfile states, and its atomic number
      type(string_type), allocatable :: element_name(:)
      integer, allocatable :: element_number(:)

      !> Minimise before the dynamics, or alone for job_minimize
      logical :: minimize = .false.
      !> Stop the minimiser when the root mean square force is below this, kcal/mol/Å
      real(dp) :: minimize_rms = 0.1_dp
      !> Most evaluations of the minimiser
      integer :: minimize_steps = 1000

      !> Write NAME.arc
      logical :: archive = .true.
      !> Write NAME.h5 (H5MD)
      logical :: h5md = .true.
      !> Put velocities and forces into NAME.h5
      logical :: save_velocity = .true., save_force = .true.
      !> Write steps at which |F_accurate - F_fast| of an atom exceeds this to NAME.holes.h5, kcal/mol/Å, 0 = off
      real(dp) :: harvest_force = 0.0_dp
      !> Most frames in NAME.holes.h5
      integer(i8) :: harvest_max = 1000
      !> Write NAME.dyn and NAME.chk
      logical :: restart_files = .true.
      !> Decimals of coordinates in .xyz and .arc: 6 or 8 (Tinker's DIGITS)
      integer :: digits = 6
      !> One line of the log per outer step
      logical :: verbose = .false.
   end type settings_type

end module fennix_settings
