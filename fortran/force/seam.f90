! SPDX-License-Identifier: MIT
!> The C contract between the engine and whatever computes forces or consumes frames.
!>
!> A provider is a C function of type `force_function`; a ten-line C program can be one.
!> All structs begin with their version and grow only at the end. Mirrored by pyfennix/seam.py.
module fennix_seam
   use, intrinsic :: iso_c_binding, only : c_char, c_double, c_funptr, c_int, c_int32_t, c_int64_t, c_null_funptr, &
      & c_null_ptr, c_ptr
   implicit none
   private
   public :: force_request, force_result, provider_record, frame_header, frame_record, frame_sink_record
   public :: summary_record
   public :: force_function, message_function, frame_function
   public :: seam_version, want_energy, want_forces, want_virial
   public :: frame_velocity, frame_force, frame_box, frame_difference
   public :: provider_conservative, provider_uses_charge, provider_exchanges, provider_no_virial

   !> Version of every struct below
   integer(c_int32_t), parameter :: seam_version = 2
   !> Bits of force_request%wanted
   integer(c_int32_t), parameter :: want_energy = 1, want_forces = 2, want_virial = 4
   !> Bits of provider_record%traits
   integer(c_int32_t), parameter :: provider_conservative = 1, provider_uses_charge = 2, provider_exchanges = 4
   !> The virial of a periodic system cannot be had, and is never asked for
   integer(c_int32_t), parameter :: provider_no_virial = 8

   !> Bits of frame_header%contents
   integer(c_int32_t), parameter :: frame_velocity = 1, frame_force = 2, frame_box = 4, frame_difference = 8

   !> One evaluation: what the provider sees. Arrays belong to the engine and are read-only.
   type, bind(c) :: force_request
      integer(c_int32_t) :: version = seam_version
      !> Level in the ladder: 1 = outermost (accurate), 2 = fast
      integer(c_int32_t) :: level = 1
      !> Absolute index of the inner step
      integer(c_int64_t) :: inner_step = 0
      !> Sum of want_*
      integer(c_int32_t) :: wanted = 0
      !> Owned atoms; atoms whose neighbours are listed; atoms in all (owned, then ghosts)
      integer(c_int32_t) :: n_local = 0, n_center = 0, n_total = 0
      !> 1 along lattice vectors whose images the shifts of the pair list count; along others that the system repeats
      !> in, images are explicit ghosts
      integer(c_int32_t) :: periodic(3) = 0
      !> Atoms of the whole system
      integer(c_int64_t) :: n_global = 0
      !> Total charge of the whole system, e
      real(c_double) :: total_charge = 0
      !> The pair list holds all pairs closer than cutoff + skin, Å
      real(c_double) :: cutoff = 0, skin = 0
      !> Changes exactly when the pair list or the order of the atoms does
      integer(c_int64_t) :: list_version = 0
      integer(c_int64_t) :: n_edges = 0
      !> int32 (n_total) atomic numbers; int32 (n_total) global ids
      type(c_ptr) :: number = c_null_ptr, id = c_null_ptr
      !> double (n_total, 3) in C order, Å, continuous while list_version stands
      type(c_ptr) :: position = c_null_ptr
      !> Rows are the lattice vectors (C order), Å
      real(c_double) :: cell(3, 3) = 0
      !> int64 (119): atoms of each atomic number in the whole system
      type(c_ptr) :: composition = c_null_ptr
      !> int32 (n_center+1), int32 (n_edges), int32 (n_edges, 3) in C order; zero-based;
      !> edges sorted by receiver, then global id of the neighbour, then shift.
      !> Edge vector = position(neighbor) - position(receiver) + shift . cell
      type(c_ptr) :: first = c_null_ptr, neighbor = c_null_ptr, shift = c_null_ptr
      !> int status = exchange(context, direction, width, type, buffer) lets ranks exchange rows of features,
      !> (n_total, width) in C order: direction 0 copies the rows of owners to their ghosts, 1 adds the rows of ghosts
      !> to those of their owners and leaves zeros; type 0 double, 1 float. All ranks call it alike. Status 1: another
      !> rank has ended its evaluation, so end this one with a failure too. Null when the halo is wide.
      type(c_funptr) :: exchange = c_null_funptr
      type(c_ptr) :: exchange_context = c_null_ptr
   end type force_request

   !> What the provider returns; arrays belong to the engine, kcal/mol and Å.
   type, bind(c) :: force_result
      integer(c_int32_t) :: version = seam_version
      !> Energy of the owned atoms, kcal/mol
      real(c_double) :: energy = 0
      !> +dE/dstrain, kcal/mol
      real(c_double) :: virial(3, 3) = 0
      !> double (n_total, 3) in C order: forces to be overwritten, kcal/mol/Å
      type(c_ptr) :: forces = c_null_ptr
      !> double (n_local), optional (may be null), kcal/mol
      type(c_ptr) :: atom_energy = c_null_ptr
      type(c_ptr) :: spread = c_null_ptr
   end type force_result

   !> A provider as the host hands it over, once.
   type, bind(c) :: provider_record
      integer(c_int32_t) :: version = seam_version
      !> Sum of provider_* traits
      integer(c_int32_t) :: traits = 0
      !> int status = force(context, request, result); message(context, buffer, size) fetches the text of a failure
      type(c_funptr) :: force = c_null_funptr, message = c_null_funptr
      type(c_ptr) :: context = c_null_ptr
      !> Range of the pair list it needs, and how far an atom's energy sees, Å. A cutoff of 0 means no list (it stays
      !> empty): the provider sees the whole system at once
      real(c_double) :: cutoff = 0, range = 0
      !> 1 for each atomic number it accepts, index 0..118
      integer(c_int32_t) :: element(119) = 1
      !> Printable description, zero-terminated: "water-accurate (RASTER, 123456 parameters, float32, cpu, 2 threads)"
      character(kind=c_char) :: label(256) = char(0)
      !> How far outside a domain ghosts need their own neighbours listed (they are among the first n_center atoms
      !> then) when features are not exchanged, Å; 0 when an atom's energy depends on its own neighbours only
      real(c_double) :: center_range = 0
   end type provider_record

   !> One frame, gathered on rank 0 in global order.
   type, bind(c) :: frame_record
      integer(c_int32_t) :: version = seam_version
      !> Number of atoms
      integer(c_int32_t) :: n_atoms = 0
      !> 1 when the system is periodic
      integer(c_int32_t) :: periodic = 0
      !> Number of observables
      integer(c_int32_t) :: n_observables = 0
      !> Outer step
      integer(c_int64_t) :: step = 0
      !> ps
      real(c_double) :: time = 0
      !> Rows are the lattice vectors, Å
      real(c_double) :: cell(3, 3) = 0
      !> double (n, 3) wrapped positions (Å); int32 (n, 3) images, so that wrapped + image . cell is unwrapped;
      !> double (n, 3) velocities (Å/ps); double (n, 3) forces of the accurate model (kcal/mol/Å). Null = not wanted.
      type(c_ptr) :: position = c_null_ptr, image = c_null_ptr, velocity = c_null_ptr, force = c_null_ptr
      !> double (n_observables) values; names and units go in the sink's opening text
      type(c_ptr) :: observable = c_null_ptr
      !> double (n, 3) force of the accurate minus force of the fast model (kcal/mol/Å). Null = not wanted.
      type(c_ptr) :: difference = c_null_ptr
   end type frame_record

   !> What is known of the difference forces of all atoms and outer steps so far, kcal/mol/Å.
   type, bind(c) :: summary_record
      integer(c_int32_t) :: version = seam_version
      !> Bins of the histogram, the open one at its end included
      integer(c_int32_t) :: n_bins = 0
      !> Outer steps looked at, the first and the last of them, and those with an atom above the threshold
      integer(c_int64_t) :: n_steps = 0, first_step = 0, last_step = 0, n_above = 0
      !> Where the largest difference was met: outer step and one-based atom, 0 before any
      integer(c_int64_t) :: largest_step = 0, largest_atom = 0
      real(c_double) :: largest = 0, threshold = 0, bin_width = 0
      !> int64 (n_bins): atoms and steps in each bin
      type(c_ptr) :: counts = c_null_ptr
   end type summary_record

   !> What a consumer of frames is told once, before the first frame.
   type, bind(c) :: frame_header
      integer(c_int32_t) :: version = seam_version
      integer(c_int32_t) :: n_atoms = 0
      integer(c_int32_t) :: n_bonds = 0
      integer(c_int32_t) :: n_observables = 0
      !> Frames already in the file that are kept: 0 or more truncates to so many and appends, -1 starts a new file,
      !> -2 keeps all there are. The sink writes back how many it kept.
      integer(c_int64_t) :: keep_frames = -1
      !> int32 (n) atomic numbers, double (n) masses, int32 (n_bonds, 2) zero-based bonds
      type(c_ptr) :: number = c_null_ptr, mass = c_null_ptr, bond = c_null_ptr
      !> Zero-terminated "name=unit" lines, one for each observable (empty unit = a pure number)
      type(c_ptr) :: observables = c_null_ptr
      !> What every frame will hold: sum of frame_*
      integer(c_int32_t) :: contents = 0
      integer(c_int32_t) :: reserved = 0
      !> Set by the sink: complete frames that it cut off
      integer(c_int64_t) :: dropped = 0
      !> Outer step at which the run begins: of a file that is kept whole (-2), frames beyond it are cut off; -1 unknown
      integer(c_int64_t) :: start_step = -1
   end type frame_header

   !> Consumer of frames as the host hands it over. open(context, header), write(context, frame), close(context) and
   !> summary(context, summary) return a status; message fetches the text of a failure. Every write is on disk when it
   !> returns. summary is null where none is wanted.
   type, bind(c) :: frame_sink_record
      integer(c_int32_t) :: version = seam_version
      integer(c_int32_t) :: reserved = 0
      type(c_funptr) :: open = c_null_funptr, write = c_null_funptr, close = c_null_funptr, message = c_null_funptr
      type(c_ptr) :: context = c_null_ptr
      type(c_funptr) :: summary = c_null_funptr
   end type frame_sink_record

   abstract interface
      function force_function(context, request, result) bind(c) result(status)
         import :: c_ptr, c_int, force_request, force_result
         implicit none
         type(c_ptr), value :: context
         type(force_request), intent(in) :: request
         type(force_result), intent(inout) :: result
         integer(c_int) :: status
      end function force_function

      !> Copy the zero-terminated text of the last failure into buffer(size)
      subroutine message_function(context, buffer, size) bind(c)
         import :: c_ptr, c_int, c_char
         implicit none
         type(c_ptr), value :: context
         character(kind=c_char), intent(inout) :: buffer(*)
         integer(c_int), value :: size
      end subroutine message_function

      !> argument is the address of a frame_header (open), frame_record (write) or summary_record, null for close
      function frame_function(context, argument) bind(c) result(status)
         import :: c_ptr, c_int
         implicit none
         type(c_ptr), value :: context
         type(c_ptr), value :: argument
         integer(c_int) :: status
      end function frame_function
   end interface

end module fennix_seam
