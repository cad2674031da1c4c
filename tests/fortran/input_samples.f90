! SPDX-License-Identifier: MIT
!> Keywords and structures as text, shared by the tests of what is read.
module input_samples
   use fennix_error, only : error_type
   use fennix_strings, only : split, string_type
   use fennix_arguments, only : arguments_type, parse_arguments
   use fennix_settings, only : settings_type
   use fennix_cell, only : cell_type
   use fennix_atoms, only : atoms_type
   use fennix_interpret, only : read_settings
   use fennix_system, only : build_system, start_type
   use report_samples, only : write_text
   implicit none
   private
   public :: settings_of, system_of, lines

contains


!> Lines separated by bars in the argument, each ended by a line feed
pure function lines(text) result(joined)
   character(len=*), intent(in) :: text
   character(len=:), allocatable :: joined
   integer :: i

   joined = text // "|"
   do i = 1, len(joined)
      if (joined(i:i) == "|") joined(i:i) = new_line("a")
   end do
end function lines


!> Settings from keywords (lines separated by bars) and words of a command line, without files
subroutine settings_of(settings, keywords, words, error)
   type(settings_type), intent(out) :: settings
   character(len=*), intent(in) :: keywords
   character(len=*), intent(in) :: words
   type(error_type), allocatable, intent(out) :: error
   type(arguments_type) :: arguments
   type(string_type), allocatable :: list(:)

   call split(words, list)
   call parse_arguments(arguments, list, error)
   if (allocated(error)) return
   arguments%has_arrays = .true.
   call read_settings(settings, arguments, error, lines(keywords))
end subroutine settings_of


!> A system from the text of NAME.xyz and keywords, both with lines separated by bars
subroutine system_of(name, structure, keywords, cell, atoms, start, error)
   character(len=*), intent(in) :: name, structure, keywords
   type(cell_type), intent(out) :: cell
   type(atoms_type), intent(out) :: atoms
   type(start_type), intent(out) :: start
   type(error_type), allocatable, intent(out) :: error
   type(settings_type) :: settings

   call write_text(name // ".xyz", lines(structure))
   call settings_of(settings, "ml-model water-accurate|" // keywords, name // " 0", error)
   if (allocated(error)) return
   settings%name = name
   settings%structure_file = name // ".xyz"
   call build_system(settings, cell, atoms, start, error)
end subroutine system_of

end module input_samples
