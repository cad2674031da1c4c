! SPDX-License-Identifier: MIT
!> Hands frames to the sink behind the C seam, which writes H5MD.
module fennix_frames
   use, intrinsic :: iso_c_binding, only : c_associated, c_char, c_f_procpointer, c_int, c_int32_t, c_int64_t, c_loc, &
      & c_null_char, c_null_ptr, c_ptr
   use fennix_kinds, only : dp, i4, i8
   use fennix_c_interop, only : from_c, to_c
   use fennix_error, only : error_type, fatal_error
   use fennix_cell, only : cell_type
   use fennix_atoms, only : atoms_type
   use fennix_seam, only : frame_box, frame_force, frame_function, frame_header, frame_record, frame_sink_record, &
      & frame_velocity, message_function
   use fennix_observables, only : observable_names, observable_values, observables_type
   use fennix_wrap, only : wrap_positions
   implicit none
   private
   public :: frames_type, open_frames, open_sink, write_frame_record, close_frames, call_sink, keep_all

   type :: frames_type
      !> A sink was given and opened
      logical :: active = .false.
      type(frame_sink_record) :: sink
      logical :: with_velocity = .true., with_force = .true.
      !> Frames in the file
      integer(i8) :: n_frames = 0
      !> Frames that were cut off when it was opened
      integer(i8) :: n_dropped = 0
   end type frames_type

   !> For open_frames: go on after every frame that the file has, if there is one
   integer(i8), parameter :: keep_all = -2
   !> Longest failure text fetched from a sink
   integer, parameter :: message_length = 1024

contains


!> Tell the sink about the system
subroutine open_frames(self, atoms, obs, keep_frames, periodic, start_step, error)
   type(frames_type), intent(inout) :: self
   type(atoms_type), intent(in), target :: atoms
   type(observables_type), intent(in) :: obs
   !> Frames to keep of the existing file, -1 = start a new one, or keep_all
   integer(i8), intent(in) :: keep_frames
   !> Frames will have a box
   logical, intent(in) :: periodic
   !> With keep_all: frames of later steps are cut off, -1 = none is
   integer(i8), intent(in) :: start_step
   type(error_type), allocatable, intent(out) :: error
   integer :: contents

   contents = merge(frame_velocity, 0_c_int32_t, self%with_velocity) + merge(frame_force, 0_c_int32_t, self%with_force)
   call open_sink(self, atoms, observable_names(obs), size(observable_values(obs)), contents, keep_frames, periodic, &
      & start_step, error)
end subroutine open_frames


!> Tell a sink about the system and what each frame will hold
subroutine open_sink(self, atoms, observables, n_observables, contents, keep_frames, periodic, start_step, error)
   type(frames_type), intent(inout) :: self
   type(atoms_type), intent(in), target :: atoms
   !> Lines "name=unit", and how many
   character(len=*), intent(in) :: observables
   integer, intent(in) :: n_observables
   !> Sum of frame_* without frame_box
   integer, intent(in) :: contents
   !> These three as of open_frames
   integer(i8), intent(in) :: keep_frames
   logical, intent(in) :: periodic
   integer(i8), intent(in) :: start_step
   type(error_type), allocatable, intent(out) :: error
   type(frame_header), target :: header
   character(kind=c_char), allocatable, target :: names(:)
   integer(i4), allocatable, target :: bonds(:, :)

   if (.not. c_associated(self%sink%open)) return
   names = to_c(observables)
   bonds = bond_pairs(atoms)
   header%n_atoms = int(atoms%n, c_int32_t)
   header%n_bonds = size(bonds, 2, kind=c_int32_t)
   header%n_observables = int(n_observables, c_int32_t)
   header%keep_frames = int(keep_frames, c_int64_t)
   header%contents = int(contents, c_int32_t)
   if (periodic) header%contents = header%contents + frame_box
   header%start_step = int(start_step, c_int64_t)
   header%number = c_loc(atoms%number)
   header%mass = c_loc(atoms%mass)
   if (size(bonds, 2) > 0) header%bond = c_loc(bonds)
   header%observables = c_loc(names)
   call call_sink(self, "open", c_loc(header), error)
   self%active = .not. allocated(error)
   self%n_frames = max(0_i8, int(header%keep_frames, i8))
   self%n_dropped = int(header%dropped, i8)
end subroutine open_sink


!> Write one frame; it is on disk when this returns
subroutine write_frame_record(self, atoms, cell, forces, obs, error)
   type(frames_type), intent(inout) :: self
   type(atoms_type), intent(in), target :: atoms
   type(cell_type), intent(in) :: cell
   !> Forces of the accurate model, kcal/mol/Å, (3, n)
   real(dp), intent(in), target :: forces(:, :)
   type(observables_type), intent(in) :: obs
   type(error_type), allocatable, intent(out) :: error
   type(frame_record), target :: frame
   real(dp), allocatable, target :: folded(:, :), values(:)
   integer(i4), allocatable, target :: image(:, :)

   if (.not. self%active) return
   allocate(folded(3, atoms%n), image(3, atoms%n))
   call wrap_positions(cell, atoms%position, folded, image)
   values = observable_values(obs)
   frame%n_atoms = int(atoms%n, c_int32_t)
   frame%periodic = merge(1_c_int32_t, 0_c_int32_t, cell%periodic)
   frame%n_observables = size(values, kind=c_int32_t)
   frame%step = int(obs%step, c_int64_t)
   frame%time = obs%time
   frame%cell = cell%vectors
   frame%position = c_loc(folded)
   frame%image = c_loc(image)
   if (self%with_velocity) frame%velocity = c_loc(atoms%velocity)
   if (self%with_force) frame%force = c_loc(forces)
   frame%observable = c_loc(values)
   call call_sink(self, "write", c_loc(frame), error)
   if (.not. allocated(error)) self%n_frames = self%n_frames + 1
end subroutine write_frame_record


!> Close the file
subroutine close_frames(self, error)
   type(frames_type), intent(inout) :: self
   type(error_type), allocatable, intent(out) :: error

   if (.not. self%active) return
   self%active = .false.
   call call_sink(self, "close", c_null_ptr, error)
end subroutine close_frames


!> Call one function of the sink
subroutine call_sink(self, what, argument, error)
   type(frames_type), intent(in) :: self
   !> "open", "write", "summary" or "close"
   character(len=*), intent(in) :: what
   type(c_ptr), intent(in) :: argument
   type(error_type), allocatable, intent(out) :: error
   procedure(frame_function), pointer :: action
   procedure(message_function), pointer :: message
   character(kind=c_char) :: buffer(message_length)

   select case (what)
   case ("open")
      call c_f_procpointer(self%sink%open, action)
   case ("write")
      call c_f_procpointer(self%sink%write, action)
   case ("summary")
      call c_f_procpointer(self%sink%summary, action)
   case default
      call c_f_procpointer(self%sink%close, action)
   end select
   if (action(self%sink%context, argument) == 0) return
   buffer = c_null_char
   call c_f_procpointer(self%sink%message, message)
   call message(self%sink%context, buffer, int(message_length, c_int))
   call fatal_error(error, from_c(buffer))
end subroutine call_sink


!> Each bond once, zero-based, (2, n_bonds)
pure function bond_pairs(atoms) result(pairs)
   type(atoms_type), intent(in) :: atoms
   integer(i4), allocatable :: pairs(:, :)
   integer :: iat, slot, n

   n = 0
   if (allocated(atoms%bond)) allocate(pairs(2, size(atoms%bond)))
   if (.not. allocated(pairs)) allocate(pairs(2, 0))
   if (size(pairs, 2) == 0) return
   do iat = 1, atoms%n
      do slot = atoms%bond_first(iat), atoms%bond_first(iat + 1) - 1
         if (atoms%bond(slot) <= iat) cycle
         n = n + 1
         pairs(:, n) = [int(iat - 1, i4), int(atoms%bond(slot) - 1, i4)]
      end do
   end do
   pairs = pairs(:, :n)
end function bond_pairs

end module fennix_frames
