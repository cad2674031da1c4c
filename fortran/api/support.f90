! SPDX-License-Identifier: MIT
!> What the wrapped procedures of api.f90 share: settings from text, handles, errors as status and message.
module fennix_api_support
   use, intrinsic :: iso_c_binding, only : c_f_pointer, c_loc
   use fennix_kinds, only : dp, i8
   use fennix_c_interop, only : to_address, to_pointer
   use fennix_error, only : error_type, fatal_error, to_text
   use fennix_simulation, only : simulation_type
   implicit none
   private
   public :: settings_from_text, text_of, copy_array, replace_array, report
   public :: from_handle, to_handle

contains


!> Settings from a command line and the text of a keyfile, validated by the code that serves the executable.
!> With -k KEY among the words, the text goes after the lines of that file, so that it goes before them.
subroutine settings_from_text(settings, words, key_text, key_given, output, has_arrays, error)
   use fennix_arguments, only : arguments_type, parse_arguments
   use fennix_interpret, only : read_settings
   use fennix_settings, only : job_rerun, settings_type
   use fennix_strings, only : string_type
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


!> What a quiet run has to tell its user before it begins, one sentence in a line
function notes_of(sim) result(text)
   type(simulation_type), intent(in) :: sim
   character(len=:), allocatable :: text
   integer :: k

   text = ""
   associate (settings => sim%settings, levels => sim%ladder%levels)
      if (len(settings%ignored_keywords) > 0) text = settings%ignored_keywords // new_line("a")
      do k = 1, size(settings%notes)
         text = text // settings%notes(k)%text // new_line("a")
      end do
      ! A resumed run takes its state from the checkpoint, whatever lies beside it
      if (len(sim%start%note) > 0 .and. .not. settings%resume) text = text // sim%start%note // new_line("a")
      do k = 1, size(levels)
         if (.not. allocated(levels(k)%provider%label)) cycle
         if (abs(settings%total_charge) > 0.0_dp .and. .not. levels(k)%provider%uses_charge) text = text // &
            & "the model " // levels(k)%provider%label // " does not use a total charge; ml-qtot is ignored" // &
            & new_line("a")
      end do
   end associate
end function notes_of


!> One of the texts that text_length names; empty for an unknown name
function text_of(sim, what) result(text)
   use fennix_observables, only : observable_names
   use fennix_host_facts, only : host_text
   type(simulation_type), intent(in) :: sim
   character(len=*), intent(in) :: what
   character(len=:), allocatable :: text

   select case (what)
   case ("host")
      text = host_text(sim%settings)
   case ("observables")
      text = ""
      if (allocated(sim%obs%elements)) text = observable_names(sim%obs)
   case ("stop")
      text = ""
      if (allocated(sim%stop_reason)) text = sim%stop_reason
   case ("notes")
      text = notes_of(sim)
   case default
      text = ""
   end select
end function text_of


!> Copy of an array of the simulation by name, (3, n)
subroutine copy_array(sim, name, values, error)
   type(simulation_type), intent(in) :: sim
   character(len=*), intent(in) :: name
   real(dp), intent(inout) :: values(:, :)
   type(error_type), allocatable, intent(out) :: error

   select case (name)
   case ("position")
      values = sim%atoms%position
   case ("velocity")
      values = sim%atoms%velocity
   case ("force")
      values = sim%ladder%levels(1)%forces
   case ("force_fast")
      values = sim%ladder%levels(size(sim%ladder%levels))%forces
   case default
      call fatal_error(error, "there is no array named " // name)
   end select
end subroutine copy_array


!> Replace positions or velocities; forces and observables follow
subroutine replace_array(sim, name, values, error)
   use fennix_motion, only : clear_tally
   use fennix_run_state, only : measure
   type(simulation_type), intent(inout) :: sim
   character(len=*), intent(in) :: name
   real(dp), intent(in) :: values(:, :)
   type(error_type), allocatable, intent(out) :: error

   select case (name)
   case ("position")
      call move_atoms(sim, values, error)
   case ("velocity")
      sim%atoms%velocity = values
      ! What was tallied at mid-step belongs to the velocities that are gone
      call clear_tally(sim%motion)
   case default
      call fatal_error(error, "there is no array named " // name // " that can be set")
   end select
   if (.not. allocated(error)) call measure(sim)
end subroutine replace_array


!> Put the atoms at (3, n) Å and evaluate all levels; after a failure everything is as it was before
subroutine move_atoms(sim, values, error)
   use fennix_ladder, only : evaluate_all
   type(simulation_type), intent(inout) :: sim
   real(dp), intent(in) :: values(:, :)
   type(error_type), allocatable, intent(out) :: error
   real(dp), allocatable :: position(:, :), forces(:, :, :), energy(:), virial(:, :, :)
   integer :: k, n

   n = size(sim%ladder%levels)
   allocate(forces(3, sim%atoms%n, n), energy(n), virial(3, 3, n))
   do k = 1, n
      forces(:, :, k) = sim%ladder%levels(k)%forces
      energy(k) = sim%ladder%levels(k)%energy
      virial(:, :, k) = sim%ladder%levels(k)%virial
   end do
   position = sim%atoms%position
   sim%atoms%position(:, :) = values
   call evaluate_all(sim%ladder, sim%atoms, sim%cell, sim%motion, sim%timer, error)
   if (.not. allocated(error)) return
   ! Pair lists stay: they are built anew when the atoms are no longer where they were built
   sim%atoms%position(:, :) = position
   do k = 1, n
      sim%ladder%levels(k)%forces(:, :) = forces(:, :, k)
      sim%ladder%levels(k)%energy = energy(k)
      sim%ladder%levels(k)%virial = virial(:, :, k)
   end do
end subroutine move_atoms


!> Error value to status and text
subroutine report(error, stat, message)
   type(error_type), allocatable, intent(in) :: error
   integer, intent(out) :: stat
   character(len=*), intent(out) :: message
   integer :: length

   stat = 0
   message = ""
   if (.not. allocated(error)) return
   stat = 1
   length = min(len(error%message), len(message))
   if (length < len(error%message)) then
      ! A character of several bytes must not be cut in two: 10xxxxxx continues one
      do while (iand(iachar(error%message(length + 1:length + 1)), 192) == 128)
         length = length - 1
      end do
   end if
   message = error%message(:length)
end subroutine report


!> The simulation behind a handle
function from_handle(handle) result(sim)
   integer(i8), intent(in) :: handle
   type(simulation_type), pointer :: sim

   call c_f_pointer(to_pointer(handle), sim)
end function from_handle


!> The handle of a simulation
function to_handle(sim) result(handle)
   type(simulation_type), pointer, intent(in) :: sim
   integer(i8) :: handle

   handle = to_address(c_loc(sim))
end function to_handle

end module fennix_api_support
