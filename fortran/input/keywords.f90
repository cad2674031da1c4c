! SPDX-License-Identifier: MIT
!> The keywords of pyfennix: name, type, unit, default and meaning, in one table that is also the reference page.
module fennix_keywords
   use fennix_strings, only : string_type
   implicit none
   private
   public :: keyword_type, keyword_table, keyword_table_text, find_keyword, keyword_names, canonical_name
   public :: kind_number, kind_integer, kind_switch, kind_word, kind_file

   !> What follows a keyword
   integer, parameter :: kind_number = 1, kind_integer = 2, kind_switch = 3, kind_word = 4, kind_file = 5

   type :: keyword_type
      !> Lower case
      character(len=20) :: name = ""
      !> One of kind_*
      integer :: kind = kind_word
      !> Allowed values of a number: "> 0", ">= 0" or "" for any; words of a word, separated by " | "
      character(len=64) :: rule = ""
      character(len=12) :: unit = ""
      !> Value without the keyword, as printed
      character(len=64) :: default = ""
      !> One or two sentences
      character(len=240) :: meaning = ""
   end type keyword_type

   integer, parameter :: num = kind_number, int = kind_integer, swi = kind_switch, wor = kind_word, fil = kind_file
   character(len=*), parameter :: nl = new_line("a")

   !> Tinker's other names of our keywords, then ours
   character(len=*), parameter :: aliases(2, 5) = reshape([character(len=12) :: &
      & "x-axis", "a-axis", "y-axis", "b-axis", "z-axis", "c-axis", "minimise", "minimize", "nsteps", "steps"], [2, 5])

contains


!> All keywords, group by group
pure function keyword_table() result(table)
   type(keyword_type), allocatable :: table(:)

   table = [run_keywords(), dynamics_keywords(), model_keywords(), parallel_keywords(), system_keywords(), &
      & minimize_keywords(), output_keywords()]
end function keyword_table


pure function run_keywords() result(k)
   type(keyword_type), allocatable :: k(:)

   k = [ &
      & keyword_type("steps", int, ">= 0", "outer steps", "must be given", &
      & "Number of outer steps, 0 for a single point. First value after NAME. nsteps is the same."), &
      & keyword_type("timestep", num, "> 0", "fs", "1", &
      & "Outer time step. Second value after NAME. With two levels a whole multiple of dshort."), &
      & keyword_type("dump", num, "> 0", "ps", "0.1", &
      & "Time between frames, rounded to outer steps (at least one). Third value after NAME."), &
      & keyword_type("ensemble", wor, "nve | nvt | 1 | 2", "", "of the integrator, else nvt", &
      & "nve (or 1) keeps the energy, nvt (or 2) the temperature. Fourth value after NAME."), &
      & keyword_type("temperature", num, ">= 0", "K", "298", &
      & "Temperature of the thermostat and of the initial velocities. Fifth value after NAME."), &
      & keyword_type("initial-temperature", num, ">= 0", "K", "temperature", &
      & "Temperature of the initial velocities, when it differs."), &
      & keyword_type("pressure", num, "", "atm", "1", &
      & "Read and kept, without effect: pressure coupling is not there yet. Sixth value after NAME."), &
      & keyword_type("maxh", num, "> 0", "h", "no limit", &
      & "Stop cleanly, with a checkpoint, after this much wall time."), &
      & keyword_type("randomseed", int, "", "", "drawn and printed", &
      & "Seed of the random numbers. The same seed gives the same run.")]
end function run_keywords


pure function dynamics_keywords() result(k)
   type(keyword_type), allocatable :: k(:)

   k = [ &
      & keyword_type("integrator", wor, "verlet | respa | baoab | baoabrespa", "", "by ensemble and levels", &
      & "verlet and respa are nve, baoab and baoabrespa nvt (Langevin); respa and baoabrespa have two " // &
      & "levels. Without it: baoabrespa or respa with ml-model-fast, otherwise baoab or verlet."), &
      & keyword_type("dshort", num, "> 0", "ps", "0.001", &
      & "Inner step of two-level integrators: the outer step must be a whole multiple of it."), &
      & keyword_type("friction", num, ">= 0", "1/ps", "1", "Friction of the Langevin thermostat."), &
      & keyword_type("thermostat", wor, "langevin", "", "langevin with nvt", "The thermostat; there is one."), &
      & keyword_type("barostat", wor, "", "", "none", "Refused: pressure coupling is not there yet."), &
      & keyword_type("remove-inertia", int, ">= 0", "outer steps", "0", &
      & "Remove the motion of the centre of mass every so many steps, 0 for never."), &
      & keyword_type("heavy-hydrogen", swi, "", "", "off", &
      & "Move mass from heavy atoms to their hydrogens by Tinker's rule (4 g/mol each); bonds are needed, from " // &
      & "the structure file or guessed from distances."), &
      & keyword_type("list-buffer", num, ">= 0", "Angstrom", "1", "Width of the pair lists beyond the cutoff.")]
end function dynamics_keywords


pure function model_keywords() result(k)
   type(keyword_type), allocatable :: k(:)

   k = [ &
      & keyword_type("ml-model", fil, "", "", "must be given", &
      & "The accurate model: a shipped name (water-accurate), FILE.fnx, FILE.py or FILE.py:Class. A file is " // &
      & "looked for in the keyfile's folder first."), &
      & keyword_type("ml-model-fast", fil, "", "", "none", &
      & "The fast model, evaluated at every inner step: asked for by respa and baoabrespa, refused otherwise."), &
      & keyword_type("ml-device", wor, "auto | cpu | cuda | cuda:N", "", "auto", &
      & "Where the models run; auto takes a GPU when there is one."), &
      & keyword_type("ml-precision", wor, "float32 | float64", "", "float32", "Precision of the models."), &
      & keyword_type("ml-threads", int, ">= 0", "", "0", &
      & "CPU threads of the models; 0 follows OMP_NUM_THREADS, else the cores this process may use."), &
      & keyword_type("ml-qtot", num, "", "e", "0", "Total charge, for models that use it."), &
      & keyword_type("ml-force-cap", num, ">= 0", "kcal/mol/A", "0", &
      & "Largest difference between accurate and fast force on an atom that an outer kick applies, 0 for no cap.")]
end function model_keywords


pure function parallel_keywords() result(k)
   type(keyword_type), allocatable :: k(:)

   k = [ &
      & keyword_type("decomp3d", wor, "NX NY NZ", "", "fewest ghosts", &
      & "Bricks along each box vector when a run is spread over ranks; their product is the number of ranks."), &
      & keyword_type("halo", wor, "auto | wide | exchange", "", "auto", &
      & "What ranks see around them: wide, all that energies depend on; exchange, one cutoff, features of " // &
      & "message-passing models being exchanged. auto exchanges where a model can.")]
end function parallel_keywords


pure function system_keywords() result(k)
   type(keyword_type), allocatable :: k(:)

   k = [ &
      & keyword_type("a-axis", num, "> 0", "Angstrom", "of the .xyz", &
      & "First box length; goes before the box of the .xyz, not before that of a .dyn. Without any box the " // &
      & "system is isolated. x-axis is the same."), &
      & keyword_type("b-axis", num, "> 0", "Angstrom", "a-axis", "Second box length. y-axis is the same."), &
      & keyword_type("c-axis", num, "> 0", "Angstrom", "a-axis", "Third box length. z-axis is the same."), &
      & keyword_type("alpha", num, "> 0 and < 180", "degrees", "90", "Angle between the b and c axes."), &
      & keyword_type("beta", num, "> 0 and < 180", "degrees", "90", "Angle between the a and c axes."), &
      & keyword_type("gamma", num, "> 0 and < 180", "degrees", "90", "Angle between the a and b axes."), &
      & keyword_type("element", wor, "NAME SYMBOL", "", "from the atom name", &
      & "Element of all atoms of this name, as in 'element CA C'; may be repeated for other names.")]
end function system_keywords


pure function minimize_keywords() result(k)
   type(keyword_type), allocatable :: k(:)

   k = [ &
      & keyword_type("minimize", swi, "", "", "off", "Minimise before the dynamics. minimise is the same."), &
      & keyword_type("minimize-rms", num, "> 0", "kcal/mol/A", "0.1", &
      & "The minimiser stops when the root mean square force component is below this."), &
      & keyword_type("minimize-steps", int, ">= 0", "", "1000", "Most evaluations of the minimiser.")]
end function minimize_keywords


pure function output_keywords() result(k)
   type(keyword_type), allocatable :: k(:)

   k = [ &
      & keyword_type("printout", int, "> 0", "outer steps", "100", "Steps between lines of the log."), &
      & keyword_type("verbose", swi, "", "", "off", "One line of the log for each step."), &
      & keyword_type("archive", swi, "", "", "on", "Write frames to NAME.arc (Tinker)."), &
      & keyword_type("noarchive", swi, "", "", "off", "The same as 'archive off'."), &
      & keyword_type("h5md", swi, "", "", "on", "Write frames and observables to NAME.h5 (H5MD)."), &
      & keyword_type("save-velocity", swi, "", "", "on", "Put velocities into NAME.h5."), &
      & keyword_type("save-force", swi, "", "", "on", "Put the accurate model's forces into NAME.h5."), &
      & keyword_type("harvest-force", num, "> 0", "kcal/mol/A", "off", &
      & "Write outer steps at which accurate and fast force differ by more than this on any atom to " // &
      & "NAME.holes.h5, with a histogram of the differences. Two-level integrators only."), &
      & keyword_type("harvest-max", int, ">= 0", "frames", "1000", &
      & "Most frames in NAME.holes.h5; further ones are only counted."), &
      & keyword_type("restart-files", swi, "", "", "on", "Write NAME.dyn (Tinker) and NAME.chk (exact)."), &
      & keyword_type("checkpoint-every", int, "> 0", "outer steps", "with frames, 100 or more", &
      & "Steps between restarts; without it, they come with frames, at least 100 steps apart."), &
      & keyword_type("digits", int, "6 | 8", "", "6", "Decimals of coordinates in .arc and .xyz files.")]
end function output_keywords


!> Index of a keyword in the table, 0 when it is not ours
pure function find_keyword(table, name) result(k)
   type(keyword_type), intent(in) :: table(:)
   character(len=*), intent(in) :: name
   integer :: k

   do k = size(table), 1, -1
      if (table(k)%name == name) return
   end do
end function find_keyword


!> Our name of a keyword that also has another
pure function canonical_name(name) result(ours)
   character(len=*), intent(in) :: name
   character(len=:), allocatable :: ours
   integer :: k

   ours = name
   do k = 1, size(aliases, 2)
      if (aliases(1, k) == name) ours = trim(aliases(2, k))
   end do
end function canonical_name


!> All names, other names included, for suggestions
pure function keyword_names() result(names)
   type(string_type), allocatable :: names(:)
   type(keyword_type), allocatable :: table(:)
   integer :: k

   allocate(table, source=keyword_table())
   allocate(names(size(table) + size(aliases, 2)))
   do k = 1, size(table)
      names(k)%text = trim(table(k)%name)
   end do
   do k = 1, size(aliases, 2)
      names(size(table) + k)%text = trim(aliases(1, k))
   end do
end function keyword_names


!> The table for --keywords: a line with name, type, unit and default, then the meaning, four spaces in
function keyword_table_text() result(text)
   character(len=:), allocatable :: text

   text = "Keywords of pyfennix: 'keyword value' lines in NAME.key, any order and case, '#' starts a comment." // nl
   call add_group(text, "Run", run_keywords())
   call add_group(text, "Dynamics", dynamics_keywords())
   call add_group(text, "Models", model_keywords())
   call add_group(text, "Several ranks", parallel_keywords())
   call add_group(text, "System", system_keywords())
   call add_group(text, "Minimiser", minimize_keywords())
   call add_group(text, "Output", output_keywords())
end function keyword_table_text


subroutine add_group(text, title, table)
   character(len=:), allocatable, intent(inout) :: text
   character(len=*), intent(in) :: title
   type(keyword_type), intent(in) :: table(:)
   character(len=:), allocatable :: type_text
   integer :: k

   text = text // nl // title // nl
   do k = 1, size(table)
      type_text = type_of(table(k))
      if (len_trim(table(k)%unit) > 0) type_text = type_text // " (" // trim(table(k)%unit) // ")"
      text = text // nl // "  " // table(k)%name // type_text // repeat(" ", max(1, 42 - len(type_text))) // &
         & "default: " // trim(table(k)%default) // nl // "    " // trim(table(k)%meaning) // nl
   end do
end subroutine add_group


!> What follows a keyword, in words: "number > 0", "on | off"
pure function type_of(keyword) result(text)
   type(keyword_type), intent(in) :: keyword
   character(len=:), allocatable :: text

   select case (keyword%kind)
   case (kind_number)
      text = trim("number " // keyword%rule)
   case (kind_integer)
      text = trim("whole number " // keyword%rule)
   case (kind_switch)
      text = "on | off"
   case (kind_file)
      text = "name or file"
   case default
      text = "word"
      if (len_trim(keyword%rule) > 0) text = trim(keyword%rule)
   end select
end function type_of

end module fennix_keywords
