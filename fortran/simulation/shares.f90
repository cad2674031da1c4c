! SPDX-License-Identifier: MIT
!> How evenly atoms, ghosts and pairs are spread over the ranks, in words.
module fennix_shares
   use fennix_kinds, only : dp, i8
   use fennix_error, only : to_text
   use fennix_comm, only : comm_type, max_all, sum_all
   use fennix_run_state, only : simulation_type
   implicit none
   private
   public :: share_text, owned_text, level_share_text, brick_text

contains


!> "4 as 2 x 2 x 1 bricks of 12.3 x 12.3 x 24.7 A"
function brick_text(self) result(text)
   type(simulation_type), intent(in) :: self
   character(len=:), allocatable :: text
   integer :: k

   associate (grid => self%domain%grid)
      text = to_text(self%domain%comm%size) // " as"
      do k = 1, 3
         text = text // trim(merge(" x", "  ", k > 1)) // " " // to_text(grid%shape(k))
      end do
      text = text // " bricks of"
      do k = 1, 3
         text = text // trim(merge(" x", "  ", k > 1)) // " " &
            & // to_text(nint(10.0_dp*grid%width(k)/grid%shape(k))/10.0_dp)
      end do
      text = text // " A"
   end associate
end function brick_text


!> Atoms that ranks own; all ranks call this together
function owned_text(self) result(text)
   type(simulation_type), intent(in) :: self
   character(len=:), allocatable :: text

   text = "own atoms " // share_text(self%domain%comm, int(self%atoms%n, i8)) // " on a rank"
end function owned_text


!> Ghosts and pairs of one level; all ranks call this together
function level_share_text(self, k) result(text)
   type(simulation_type), intent(in) :: self
   integer, intent(in) :: k
   character(len=:), allocatable :: text

   associate (level => self%ladder%levels(k))
      text = "ghosts " // share_text(self%domain%comm, int(level%halo%n_total - level%halo%n_local, i8)) &
         & // ", pairs " // share_text(self%domain%comm, level%pairs%n_edges) // " on a rank"
   end associate
end function level_share_text


!> "324", or "320 to 328 (mean 324)" when ranks differ
function share_text(comm, mine) result(text)
   type(comm_type), intent(in) :: comm
   integer(i8), intent(in) :: mine
   character(len=:), allocatable :: text
   real(dp) :: ends(2), total(1)

   ends = [real(mine, dp), -real(mine, dp)]
   total = real(mine, dp)
   call max_all(comm, ends)
   call sum_all(comm, total)
   text = to_text(mine)
   if (-ends(2) < ends(1)) text = to_text(nint(-ends(2), i8)) // " to " // to_text(nint(ends(1), i8)) // " (mean " &
      & // to_text(nint(total(1)/comm%size, i8)) // ")"
end function share_text

end module fennix_shares
