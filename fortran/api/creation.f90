! SPDX-License-Identifier: MIT
!> Makes simulations for a Python program, from files or from arrays, on one rank or several.
module fennix_creation
   use, intrinsic :: iso_c_binding, only : c_loc
   use, intrinsic :: iso_fortran_env, only : output_unit
   use fennix_kinds, only : dp, i8
   use fennix_c_interop, only : to_address
   use fennix_error, only : error_type, to_text
   use fennix_comm, only : close_comm, comm_type, new_comm, new_serial_comm
   use fennix_cell, only : cell_type
   use fennix_atoms, only : atoms_type
   use fennix_domain, only : domain_type, settle
   use fennix_settings, only : settings_type
   use fennix_share_input, only : share_input
   use fennix_simulation, only : new_simulation, simulation_type
   use fennix_system, only : build_system, build_system_from_arrays, start_type
   use fennix_text_file, only : without_extension
   implicit none
   private
   public :: create_from_files, create_from_atoms

contains


!> A simulation from a command line and lines of a keyfile; see create in api.f90
subroutine create_from_files(words, key_text, key_given, output, comm_handle, handle, error)
   character(len=*), intent(in) :: words, key_text
   logical, intent(in) :: key_given
   character(len=*), intent(in) :: output
   integer, intent(in) :: comm_handle
   !> 0 after an error
   integer(i8), intent(out) :: handle
   type(error_type), allocatable, intent(out) :: error
   type(comm_type) :: comm
   type(settings_type) :: settings
   type(cell_type) :: cell
   type(atoms_type) :: atoms
   type(start_type) :: start

   handle = 0
   call comm_from_handle(comm, comm_handle, error)
   if (allocated(error)) return
   if (comm%rank == 0) then
      call settings_from_text(settings, words, key_text, merge(1, 0, key_given), output, 0, error)
      if (.not. allocated(error)) call build_system(settings, cell, atoms, start, error)
      ! Files under another name are those of a new run, although it goes on from the restart file
      if (.not. allocated(error)) then
         if (output /= without_extension(settings%structure_file)) start%kind = "xyz"
      end if
   end if
   call begin(comm, settings, cell, atoms, start, handle, error)
end subroutine create_from_files


!> A simulation of atoms given as arrays; see create_from_arrays in api.f90
subroutine create_from_atoms(words, key_text, output, numbers, positions, velocities, has_velocities, masses, vectors, &
      & periodic, comm_handle, handle, error)
   character(len=*), intent(in) :: words, key_text, output
   integer, intent(in) :: numbers(:)
   real(dp), intent(in) :: positions(:, :), velocities(:, :)
   logical, intent(in) :: has_velocities
   real(dp), intent(in) :: masses(:), vectors(3, 3)
   logical, intent(in) :: periodic
   integer, intent(in) :: comm_handle
   !> 0 after an error
   integer(i8), intent(out) :: handle
   type(error_type), allocatable, intent(out) :: error
   type(comm_type) :: comm
   type(settings_type) :: settings
   type(cell_type) :: cell
   type(atoms_type) :: atoms
   type(start_type) :: start

   handle = 0
   call comm_from_handle(comm, comm_handle, error)
   if (allocated(error)) return
   if (comm%rank == 0) then
      call settings_from_text(settings, words, key_text, 1, output, 1, error)
      if (.not. allocated(error)) then
         call build_system_from_arrays(settings, numbers, positions, vectors, periodic, &
                                       cell, atoms, error, start, masses)
      end if
      if (.not. allocated(error)) then
         if (has_velocities) atoms%velocity = velocities
         start%has_velocity = has_velocities
         start%step = 0
         start%inner_step = 0
      end if
   end if
   call begin(comm, settings, cell, atoms, start, handle, error)
end subroutine create_from_atoms


!> A simulation on the heap from what rank 0 has read, unless that failed; all ranks call this together
subroutine begin(comm, settings, cell, atoms, start, handle, error)
   type(comm_type), intent(inout) :: comm
   type(settings_type), intent(inout) :: settings
   type(cell_type), intent(inout) :: cell
   type(atoms_type), intent(in) :: atoms
   type(start_type), intent(inout) :: start
   integer(i8), intent(out) :: handle
   !> In: of this rank, out: on all ranks
   type(error_type), allocatable, intent(inout) :: error
   type(simulation_type), pointer :: sim
   type(domain_type) :: domain

   handle = 0
   domain%comm = comm
   call settle(domain, error)
   if (allocated(error)) then
      call close_comm(comm)
      return
   end if
   call share_input(comm, settings, cell, start)
   allocate(sim)
   call new_simulation(sim, comm, settings, cell, atoms, start, output_unit, .true.)
   handle = to_handle(sim)
end subroutine begin


!> The ranks behind a communicator's Fortran handle; -1 = this process alone
subroutine comm_from_handle(comm, comm_handle, error)
   type(comm_type), intent(out) :: comm
   integer, intent(in) :: comm_handle
   type(error_type), allocatable, intent(out) :: error

   comm = new_serial_comm()
   if (comm_handle /= -1) call new_comm(comm, comm_handle, error)
end subroutine comm_from_handle


!> Settings from a command line and the text of a keyfile, validated by the code that serves the executable.
!> With -k KEY among the words, the text goes after the lines of that file, so that it goes before them.
subroutine settings_from_text(settings, words, key_text, key_given, output, has_arrays, error)
   use fennix_arguments, only : arguments_type, parse_arguments
   use fennix_interpret, only : read_settings
   use fennix_settings, only : job_rerun, settings_type
   use fennix_strings, only : append, string_type
   use fennix_text_file, only : read_text
   type(settings_type), intent(out) :: settings
   character(len=*), intent(in) :: words
   character(len=*), intent(in) :: key_text
   integer, intent(in) :: key_given
   !> Files are named after it; empty = no file is written
   character(len=*), intent(in) :: output
   integer, intent(in) :: has_arrays
   type(error_type), allocatable, intent(out) :: error
   type(arguments_type) :: arguments
   type(string_type), allocatable :: list(:)
   character(len=:), allocatable :: file_text
   integer :: begin, width

   allocate(list(0))
   begin = 1
   do while (begin <= len(words))
      width = index(words(begin:), new_line("a")) - 1
      if (width < 0) width = len(words) - begin + 1
      list = [list, string_type(words(begin:begin + width - 1))]
      begin = begin + width + 1
   end do
   call parse_arguments(arguments, list, error)
   if (allocated(error)) return
   arguments%embedded = .true.
   arguments%has_arrays = has_arrays /= 0
   if (key_given /= 0 .and. len(arguments%key_file) > 0) then
      call read_text(arguments%key_file, file_text, error)
      if (allocated(error)) return
      if (len(file_text) > 0) then
         if (file_text(len(file_text):) /= new_line("a")) file_text = file_text // new_line("a")
      end if
      call read_settings(settings, arguments, error, file_text // key_text)
      call place_lines(settings, arguments%key_file, count_lines(file_text), error)
   else if (key_given /= 0) then
      call read_settings(settings, arguments, error, key_text)
   else
      call read_settings(settings, arguments, error)
   end if
   if (allocated(error)) return
   ! Frames are evaluated as they are
   if (settings%job == job_rerun) settings%minimize = .false.
   settings%name = output
   settings%archive = settings%archive .and. len(output) > 0
   settings%h5md = settings%h5md .and. len(output) > 0
   settings%restart_files = settings%restart_files .and. len(output) > 0
   if (len(output) > 0 .or. .not. settings%harvest_force > 0.0_dp) return
   settings%harvest_force = 0.0_dp
   if (settings%job /= job_rerun) call append(settings%notes, "keyword 'harvest-force' has no effect without " // &
      & "output=: frames would go into OUTPUT.holes.h5.")
end subroutine settings_from_text


!> Lines that came from a keyfile bear its name, the others are counted from the first of them; models that the file
!> names are looked for in its folder
subroutine place_lines(settings, key_file, n_lines, error)
   use fennix_locate, only : locate_model
   use fennix_settings, only : settings_type
   use fennix_strings, only : append, string_type
   type(settings_type), intent(inout) :: settings
   character(len=*), intent(in) :: key_file
   !> Lines of the file, which go first
   integer, intent(in) :: n_lines
   type(error_type), allocatable, intent(inout) :: error
   type(string_type), allocatable :: notes(:)
   character(len=:), allocatable :: note
   integer :: k

   if (allocated(error)) then
      error%message = placed(error%message, key_file, n_lines)
      return
   end if
   settings%key_file = key_file
   settings%ignored_keywords = placed(settings%ignored_keywords, key_file, n_lines)
   settings%place_accurate = placed(settings%place_accurate, key_file, n_lines)
   settings%place_fast = placed(settings%place_fast, key_file, n_lines)
   settings%place_decomposition = placed(settings%place_decomposition, key_file, n_lines)
   if (allocated(settings%box_origin)) settings%box_origin = placed(settings%box_origin, key_file, n_lines)
   if (index(settings%place_accurate, key_file) == 1) settings%model_accurate = &
      & locate_model(key_file, settings%model_accurate)
   if (index(settings%place_fast, key_file) == 1 .and. len(settings%model_fast) > 0) settings%model_fast = &
      & locate_model(key_file, settings%model_fast)
   allocate(notes(0))
   do k = 1, size(settings%notes)
      note = placed(settings%notes(k)%text, key_file, n_lines)
      ! To go before a line of the file is what an option is for
      if (index(note, "keywords, line ") == 1 .and. index(note, " was given before (" // key_file) > 0) cycle
      call append(notes, note)
   end do
   call move_alloc(notes, settings%notes)
end subroutine place_lines


!> A sentence with "keywords, line N" replaced by the keyfile's name when the line is one of its n_lines
function placed(sentence, key_file, n_lines) result(text)
   character(len=*), intent(in) :: sentence
   character(len=*), intent(in) :: key_file
   integer, intent(in) :: n_lines
   character(len=:), allocatable :: text
   character(len=*), parameter :: mark = "keywords, line "
   integer :: begin, found, first, last, line, status

   text = ""
   begin = 1
   if (index(sentence, "keywords: ") == 1) then
      text = key_file
      begin = len("keywords") + 1
   end if
   do
      found = index(sentence(begin:), mark)
      if (found == 0) exit
      text = text // sentence(begin:begin + found - 2)
      first = begin + found - 1 + len(mark)
      last = first - 2 + verify(sentence(first:) // " ", "0123456789")
      status = 1
      if (last >= first) read(sentence(first:last), *, iostat=status) line
      if (status /= 0) then
         text = text // mark // sentence(first:last)
      else if (line <= n_lines) then
         text = text // key_file // ", line " // to_text(line)
      else
         text = text // mark // to_text(line - n_lines)
      end if
      begin = last + 1
   end do
   text = text // sentence(begin:)
end function placed


pure function count_lines(text) result(n)
   character(len=*), intent(in) :: text
   integer :: n
   integer :: i

   n = 0
   do i = 1, len(text)
      if (text(i:i) == new_line("a")) n = n + 1
   end do
end function count_lines


!> The handle of a simulation
function to_handle(sim) result(handle)
   type(simulation_type), pointer, intent(in) :: sim
   integer(i8) :: handle

   handle = to_address(c_loc(sim))
end function to_handle

end module fennix_creation
