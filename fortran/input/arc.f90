! SPDX-License-Identifier: MIT
!> Reader of Tinker archives (.arc): frames of a system whose atoms are known.
module fennix_arc
   use fennix_error, only : error_type, fatal_error, to_text
   use fennix_cell, only : cell_type
   use fennix_atoms, only : atoms_type
   use fennix_structure, only : read_frame
   use fennix_text_file, only : close_text, open_text, text_file_type
   implicit none
   private
   public :: arc_type, open_arc, next_frame, close_arc

   !> An archive that is being read
   type :: arc_type
      private
      type(text_file_type) :: file
      !> Frames read
      integer :: n_frames = 0
   end type arc_type

contains


!> Open an archive for reading
subroutine open_arc(self, path, error)
   type(arc_type), intent(out) :: self
   character(len=*), intent(in) :: path
   type(error_type), allocatable, intent(out) :: error

   call open_text(self%file, path, error)
end subroutine open_arc


!> Put the positions (and box) of the next frame into the atoms of the run; their names must agree
subroutine next_frame(self, cell, atoms, done, error)
   type(arc_type), intent(inout) :: self
   !> Replaced when the frame has a box line
   type(cell_type), intent(inout) :: cell
   !> Title and positions are replaced
   type(atoms_type), intent(inout) :: atoms
   !> There was no further frame
   logical, intent(out) :: done
   type(error_type), allocatable, intent(out) :: error
   type(atoms_type) :: frame
   integer, allocatable :: line_of(:)
   integer :: i

   call read_frame(self%file, cell, frame, line_of, done, error)
   if (allocated(error) .or. done) return
   self%n_frames = self%n_frames + 1
   if (frame%n /= atoms%n) then
      call fatal_error(error, self%file%path // ": frame " // to_text(self%n_frames) // " has " // to_text(frame%n) // &
         & " atoms, the structure has " // to_text(atoms%n))
      return
   end if
   do i = 1, atoms%n
      if (frame%name(i) == atoms%name(i)) cycle
      call fatal_error(error, self%file%path // ", line " // to_text(line_of(i)) // ": atom " // to_text(i) // &
         & " is '" // trim(frame%name(i)) // "', in the structure it is '" // trim(atoms%name(i)) // "'")
      return
   end do
   atoms%title = frame%title
   atoms%position(:, :) = frame%position
end subroutine next_frame


!> Close the archive
subroutine close_arc(self)
   type(arc_type), intent(inout) :: self

   call close_text(self%file)
end subroutine close_arc

end module fennix_arc
